import { readLedger } from '../privacy/ledger.ts';

/** What was recorded since the daemon last started, and what was ever sent. */
export interface Totals {
  readonly events: number;
  readonly sentFiles: number;
  readonly sentBytes: number;
}

/** Counts in the ledger: what it says once the daemon has stopped is the whole truth, unlike the last status seen. */
export function totalsIn(stateDir: string): Totals {
  let [events, sentFiles, sentBytes] = [0, 0, 0];
  for (const entry of readLedger(stateDir)) {
    if (entry.type === 'started') events = 0;
    else if (entry.type === 'captured') events += entry.events ?? 0;
    else if (entry.type === 'sent') {
      sentFiles++;
      sentBytes += entry.bytes;
    }
  }
  return { events, sentFiles, sentBytes };
}
