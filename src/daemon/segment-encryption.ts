import type { Log } from '../core/clock.ts';
import { TelemetryError } from '../core/errors.ts';
import type { SealEffort } from '../segment/seal.ts';
import type { RandomBytes } from '../spool/identifiers.ts';
import type { KeyFolder } from '../spool/key-folder.ts';
import type { SealAnswer, SealOrder } from '../spool/sealer/order.ts';
import type { SealResult } from '../spool/sealing.ts';
import type { Spool } from '../spool/spool.ts';
import { JournalKeys, type KeyOffer } from './journal-keys.ts';

export interface EncryptionPorts {
  readonly log: Log;
  readonly randomBytes: RandomBytes;
  readonly spool: Spool;
  readonly stateDir: string;
  /** Keys of journals. */
  readonly keys: KeyFolder;
  /** Who may open what is recorded now; `null` where nothing is encrypted. */
  readonly recipients: () => readonly string[] | null;
  /** Who may open what was recorded under a receipt; empty when that is not known. */
  readonly recipientsOf: (receiptId: string) => readonly string[];
  /** Has an order carried out by the sealing program. */
  readonly seal: (order: SealOrder) => Promise<Exclude<SealAnswer, { type: 'failed' }>>;
}

/**
 * Keeps what is recorded closed to the daemon itself: journals under keys that are gone once they are sealed, sealed
 * files for the person and the data team alone.
 */
export class SegmentEncryption {
  readonly #ports: EncryptionPorts;
  readonly #folder: KeyFolder;
  readonly #keys: JournalKeys;

  constructor(ports: EncryptionPorts) {
    this.#ports = ports;
    const { log, randomBytes, recipients } = ports;
    this.#folder = ports.keys;
    this.#keys = new JournalKeys({
      log,
      randomBytes,
      folder: this.#folder,
      recipients,
      wrap: (key, names) => this.#wrap(key, names),
    });
  }

  /** After recovery: destroys the keys of journals that are gone. */
  start(): void {
    this.#folder.keepOnly(new Set(this.#ports.spool.waiting()));
  }

  /** Capture is about to begin: makes a key unless there is one. */
  prepare(): void {
    this.#keys.prepare();
  }

  keyFor(segmentId: string): KeyOffer {
    return this.#keys.offer(segmentId);
  }

  async whenSettled(): Promise<void> {
    await this.#keys.whenSettled();
  }

  /**
   * Seals an encrypted journal and destroys its key. Without the key, after a restart of the machine, or without the
   * receipt that names the recipients, the journal itself becomes the segment.
   */
  async sealJournal(id: string, effort: SealEffort): Promise<SealResult> {
    const { spool, stateDir, recipientsOf, seal } = this.#ports;
    const journal = spool.encryptedJournal(id);
    const key = this.#folder.get(id);
    const recipients = recipientsOf(journal?.receiptId ?? '');
    if (journal === null || key === undefined || recipients.length === 0) return spool.keepEncrypted(id);
    const { path, isCrashed } = journal;
    const order = {
      type: 'seal',
      stateDir,
      id,
      path,
      isCrashed,
      key: encoded(key),
      recipients,
      effort,
    } as const;
    const answer = await seal(order);
    if (answer.type !== 'done') throw unexpected();
    const result = spool.sealedByOther(id, answer.result);
    this.#folder.destroy(id);
    return result;
  }

  async #wrap(key: Uint8Array, recipients: readonly string[]): Promise<Uint8Array> {
    const answer = await this.#ports.seal({ type: 'wrap', key: encoded(key), recipients });
    if (answer.type !== 'wrapped') throw unexpected();
    return Buffer.from(answer.wrapped, 'base64');
  }
}

function encoded(key: Uint8Array): string {
  return Buffer.from(key).toString('base64');
}

function unexpected(): TelemetryError {
  return new TelemetryError('failed', 'The sealing program answered another question.', { op: 'seal' });
}
