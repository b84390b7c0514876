import type { Log } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Ledger } from '../privacy/ledger.ts';
import type { LedgerFact } from '../privacy/ledger-entry.ts';
import type { StorageHealth } from './storage-health.ts';

/** Writes the ledger. What the disk refuses is kept for the next try; until then nothing is captured. */
export class LedgerKeeper {
  readonly #log: Log;
  readonly #storage: StorageHealth;
  #ledger: Ledger | null = null;
  #unrecorded: LedgerFact[] = [];

  constructor(log: Log, storage: StorageHealth) {
    this.#log = log;
    this.#storage = storage;
  }

  /** Hash of the last entry; `null` before {@link open}. */
  get head(): string | null {
    return this.#ledger?.head().hash ?? null;
  }

  /** Facts from before are written with the next ones. */
  open(ledger: Ledger): void {
    this.#ledger = ledger;
  }

  record(facts: readonly LedgerFact[]): void {
    this.#unrecorded.push(...facts);
    const ledger = this.#ledger;
    if (ledger === null || (this.#unrecorded.length === 0 && !this.#storage.hasProblem('ledger'))) return;
    const { seq } = ledger.head();
    let problem: string | null = null;
    try {
      ledger.appendEntries(this.#unrecorded);
    } catch (error) {
      problem = messageOf(error);
      this.#log.error({ event: 'ledger-not-written', err: problem }, 'the ledger could not be written');
    }
    // Also what could not be synced stands in it.
    if (problem === null || ledger.head().seq !== seq) this.#unrecorded = [];
    this.#storage.report('ledger', problem);
  }

  /** Tries what the disk refused again. */
  retry(): void {
    if (this.#storage.hasProblem('ledger')) this.record([]);
  }

  close(): void {
    this.#ledger?.close();
    this.#ledger = null;
  }
}
