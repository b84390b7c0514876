import type { Log } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { JOURNAL_KEY_BYTES } from '../segment/sealed-frames.ts';
import type { RandomBytes } from '../spool/identifiers.ts';
import type { JournalKey } from '../spool/journal-file.ts';
import type { KeyFolder } from '../spool/key-folder.ts';

export interface KeyPorts {
  readonly log: Log;
  readonly randomBytes: RandomBytes;
  readonly folder: KeyFolder;
  /** Who may open what is recorded now; `null` where nothing is encrypted, since no one is captured (a replay). */
  readonly recipients: () => readonly string[] | null;
  /** Wraps a key for the recipients; takes a process of its own and a fraction of a second. */
  readonly wrap: (key: Uint8Array, recipients: readonly string[]) => Promise<Uint8Array>;
}

/** What there is for a journal that is to be opened now. `wait`: ask again in a moment. */
export type KeyOffer =
  | { readonly kind: 'plain' }
  | { readonly kind: 'key'; readonly key: JournalKey }
  | { readonly kind: 'wait' }
  | { readonly kind: 'failed'; readonly why: string };

/**
 * A key for the next journal, made and wrapped ahead of time, so that opening one waits for nothing. The wrapped form
 * goes into the journal's header, the key itself only into memory (see {@link KeyFolder}).
 */
export class JournalKeys {
  readonly #ports: KeyPorts;
  #ready: { readonly recipients: string; readonly key: JournalKey } | null = null;
  #making: Promise<void> | null = null;
  #problem: string | null = null;

  constructor(ports: KeyPorts) {
    this.#ports = ports;
  }

  /** Begins to make the next key unless it is there or on its way. */
  prepare(): void {
    const recipients = this.#ports.recipients();
    if (recipients === null || this.#making !== null || this.#ready?.recipients === recipients.join()) return;
    this.#ready = null;
    this.#making = this.#make(recipients).finally(() => {
      this.#making = null;
    });
  }

  /** The key for a journal. It is in the key folder when this returns, and the next one is on its way. */
  offer(segmentId: string): KeyOffer {
    const recipients = this.#ports.recipients();
    if (recipients === null) return { kind: 'plain' };
    if (this.#ready?.recipients !== recipients.join()) {
      const why = this.#problem;
      this.#problem = null;
      this.prepare();
      return why === null ? { kind: 'wait' } : { kind: 'failed', why };
    }
    const { key } = this.#ready;
    this.#ports.folder.put(segmentId, key.secret);
    this.#ready = null;
    this.prepare();
    return { kind: 'key', key };
  }

  /** Resolves when no key is being made. */
  async whenSettled(): Promise<void> {
    await this.#making;
  }

  async #make(recipients: readonly string[]): Promise<void> {
    const secret = this.#ports.randomBytes(JOURNAL_KEY_BYTES);
    try {
      const wrapped = await this.#ports.wrap(secret, recipients);
      this.#ready = { recipients: recipients.join(), key: { secret, wrapped } };
      this.#problem = null;
    } catch (error) {
      this.#problem = messageOf(error);
      this.#ports.log.error(
        { event: 'journal-key-not-made', err: this.#problem },
        'no key could be made for the next segment',
      );
    }
  }
}
