import type { Log } from '../core/clock.ts';
import { TelemetryError } from '../core/errors.ts';
import type { SealEffort } from '../segment/seal.ts';
import type { RandomBytes } from '../spool/identifiers.ts';
import type { KeyFolder } from '../spool/key-folder.ts';
import type { CutResult } from '../spool/sealer/cut-result.ts';
import type { SealAnswer, SealOrder } from '../spool/sealer/order.ts';
import type { SealResult } from '../spool/sealing.ts';
import type { StoredSegment } from '../spool/segment-store.ts';
import type { Spool } from '../spool/spool.ts';
import type { CutKeys } from './cut-keys.ts';
import { JournalKeys, type KeyOffer } from './journal-keys.ts';

export interface EncryptionPorts {
  readonly log: Log;
  readonly randomBytes: RandomBytes;
  readonly spool: Spool;
  readonly stateDir: string;
  readonly cutKeys: CutKeys;
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
    this.#ports.cutKeys.start(this.#ports.spool.contents().segments.map(({ id }) => id));
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
    const { spool, stateDir, recipientsOf, seal, cutKeys } = this.#ports;
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
      hasCutKey: cutKeys.isWanted,
    } as const;
    const answer = await seal(order);
    if (answer.type !== 'done') throw unexpected();
    if (answer.cutIdentity !== null && answer.result.kind === 'sealed') cutKeys.put(id, answer.cutIdentity);
    const result = spool.sealedByOther(id, answer.result);
    this.#folder.destroy(id);
    return result;
  }

  /**
   * Leaves out of a segment what happened from a time on; what remains is in `sealed/` as `newId` when this resolves, and
   * the segment stays. `closed` when nobody here has a key of it, or nobody could open what remains.
   */
  async cut(
    segment: StoredSegment,
    newId: string,
    fromWallMs: number,
    receiptId: string,
  ): Promise<CutResult> {
    const { spool, stateDir, recipientsOf, seal, cutKeys } = this.#ports;
    const path = spool.pathOf(segment);
    const isPlain = segment.stage === 'journal' ? !segment.isEncrypted : !segment.isAge && receiptId === '';
    const key = segment.stage === 'journal' ? this.#folder.get(segment.id) : undefined;
    const identity = cutKeys.get(segment.id);
    const recipients = isPlain ? [] : recipientsOf(receiptId);
    const isClosed = key === undefined && identity === undefined;
    if (!isPlain && (isClosed || recipients.length === 0)) return { kind: 'closed' };
    const hasCutKey = !isPlain && cutKeys.isWanted;
    const answer = await seal({
      type: 'cut',
      stateDir,
      path,
      newId,
      fromWallMs,
      identity: identity ?? '',
      key: key === undefined ? '' : encoded(key),
      recipients,
      hasCutKey,
    });
    if (answer.type !== 'cut') throw unexpected();
    if (answer.cutIdentity !== null && answer.result.kind === 'cut') cutKeys.put(newId, answer.cutIdentity);
    if (answer.result.kind === 'cut') this.#folder.destroy(segment.id);
    return answer.result;
  }

  /** Whether a key of it is here. */
  canOpen(segment: StoredSegment): boolean {
    if (segment.stage === 'journal')
      return !segment.isEncrypted || this.#folder.get(segment.id) !== undefined;
    return this.#ports.cutKeys.get(segment.id) !== undefined;
  }

  /** A segment is purged: nothing that could open it stays. */
  forget(id: string): void {
    this.#folder.destroy(id);
    this.#ports.cutKeys.destroy(id);
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
