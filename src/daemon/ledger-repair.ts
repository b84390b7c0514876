import { readLedger } from '../privacy/ledger.ts';
import type { LedgerEntry, LedgerFact } from '../privacy/ledger-entry.ts';
import { listSegments } from '../spool/list-segments.ts';
import type { SealedFacts } from '../spool/sealed-file.ts';
import { readSent, type SentRecord } from '../spool/sent-log.ts';
import { capturedFact } from './sealer.ts';

/**
 * What happened to segments and is not in the ledger: a process that is killed after a file was sealed or deleted, or a
 * segment recorded as sent, and before the ledger said so, leaves this to its successor. Captured are looked for among
 * the `sealed` segments (what recovery has just sealed included), sent ones in `sent.jsonl`, dropped ones among those of
 * the ledger whose file is gone, but for those that an interrupted purge, which is about to be finished, was `purging`.
 *
 * Both logs are read once, side by side. They name the sent segments in the same order, so that little more is held in
 * memory than what is missing and what is still here, however many years they hold; in another order the answer is the
 * same.
 */
export function missingFacts(
  stateDir: string,
  sealed: readonly SealedFacts[],
  purging: readonly string[] = [],
): LedgerFact[] {
  const captured = new Map(sealed.map((facts) => [facts.id, facts]));
  const kept = new KeptSegments();
  const sent = readSent(stateDir);
  const unrecorded = new Map<string, SentRecord>();
  const readUntil = (id: string | null): void => {
    for (let next = sent.next(); next.done !== true; next = sent.next()) {
      if (next.value.id === id) return;
      unrecorded.set(next.value.id, next.value);
    }
  };
  for (const entry of readLedger(stateDir)) {
    kept.see(entry);
    if (entry.type === 'captured') captured.delete(entry.segment);
    else if (entry.type === 'sent' && !unrecorded.delete(entry.segment)) readUntil(entry.segment);
  }
  readUntil(null);
  const existing = new Set([...listSegments(stateDir).map(({ id }) => id), ...purging]);
  return [
    ...[...captured.values()].map(capturedFact),
    ...[...unrecorded.values()].map(sentFact),
    ...kept.without(existing, unrecorded),
  ];
}

/** Segments that should still be here by what the ledger says. */
class KeptSegments {
  readonly #captured = new Map<string, LedgerFact & { type: 'captured' }>();
  readonly #sent = new Set<string>();

  see(entry: LedgerEntry): void {
    switch (entry.type) {
      case 'captured':
        this.#captured.set(entry.segment, entry);
        return;
      case 'sent':
        if (this.#captured.has(entry.segment)) this.#sent.add(entry.segment);
        return;
      case 'dropped':
        this.#captured.delete(entry.segment);
        this.#sent.delete(entry.segment);
        return;
      case 'purged':
        for (const { id, stage, outcome } of entry.receipt.segments) {
          // What is left of a journal has its id.
          if (outcome === 'cut' && stage === 'journal') continue;
          this.#captured.delete(id);
          this.#sent.delete(id);
        }
        return;
      case 'erased':
      case 'withheld':
      case 'quarantined':
      case 'health':
      case 'consent':
      case 'exemption':
      case 'policy':
      case 'started':
      case 'stopped':
    }
  }

  /** What was dropped of them, when only these files exist; a copy of one that was sent is no loss. */
  without(existing: ReadonlySet<string>, sentToo: ReadonlyMap<string, unknown>): LedgerFact[] {
    return [...this.#captured.values()]
      .filter(({ segment }) => !existing.has(segment))
      .map(({ segment, bytes, events }) => {
        const isSent = this.#sent.has(segment) || sentToo.has(segment);
        return { type: 'dropped', segment, bytes, events, cause: isSent ? 'keep-sent' : 'unknown' };
      });
  }
}

function sentFact({ id, bytes, sha256, destination }: SentRecord): LedgerFact {
  return { type: 'sent', segment: id, bytes, sha256, destination };
}
