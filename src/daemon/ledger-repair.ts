import { readLedger } from '../privacy/ledger.ts';
import type { LedgerFact } from '../privacy/ledger-entry.ts';
import type { SealedFacts } from '../spool/sealed-file.ts';
import { readSent, type SentRecord } from '../spool/sent-log.ts';
import { capturedFact } from './sealer.ts';

/**
 * What happened to segments and is not in the ledger: a process that is killed after a file was sealed, or a segment
 * recorded as sent, and before the ledger said so, leaves this to its successor. So does a full disk. Captured are
 * looked for among the `sealed` segments (what recovery has just sealed included), sent ones in `sent.jsonl`.
 *
 * Both logs are read once, side by side. They name the sent segments in the same order, so that little more is held in
 * memory than what is missing, however many years they hold; in another order the answer is the same.
 */
export function missingFacts(stateDir: string, sealed: readonly SealedFacts[]): LedgerFact[] {
  const captured = new Map(sealed.map((facts) => [facts.id, facts]));
  const sent = readSent(stateDir);
  const unrecorded = new Map<string, SentRecord>();
  const readUntil = (id: string | null): void => {
    for (let next = sent.next(); next.done !== true; next = sent.next()) {
      if (next.value.id === id) return;
      unrecorded.set(next.value.id, next.value);
    }
  };
  for (const entry of readLedger(stateDir)) {
    if (entry.type === 'captured') captured.delete(entry.segment);
    else if (entry.type === 'sent' && !unrecorded.delete(entry.segment)) readUntil(entry.segment);
  }
  readUntil(null);
  return [...[...captured.values()].map(capturedFact), ...[...unrecorded.values()].map(sentFact)];
}

function sentFact({ id, bytes, sha256, destination }: SentRecord): LedgerFact {
  return { type: 'sent', segment: id, bytes, sha256, destination };
}
