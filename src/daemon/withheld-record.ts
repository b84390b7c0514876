import type { LedgerFact } from '../privacy/ledger-entry.ts';

/** A stretch in which nothing was recorded because somebody wanted it so. `cause` stays on this device. */
interface Withheld {
  readonly cause: string;
  readonly fromWallMs: number;
}

/** Writes down when nothing was recorded, and why: once capture goes on, or the daemon ends. */
export class WithheldRecord {
  readonly #record: (facts: readonly LedgerFact[]) => void;
  #current: Withheld | null = null;

  constructor(record: (facts: readonly LedgerFact[]) => void) {
    this.#record = record;
  }

  /** Capture has ended for such a reason, or the reason has changed. */
  begin(cause: string, wallMs: number): void {
    if (this.#current?.cause === cause) return;
    this.end(wallMs);
    this.#current = { cause, fromWallMs: wallMs };
  }

  end(wallMs: number): void {
    if (this.#current === null) return;
    const { cause, fromWallMs } = this.#current;
    this.#current = null;
    const [from, until] = [fromWallMs, Math.max(fromWallMs, wallMs)].map((ms) => new Date(ms).toISOString());
    this.#record([{ type: 'withheld', cause, from: from ?? '', until: until ?? '' }]);
  }
}
