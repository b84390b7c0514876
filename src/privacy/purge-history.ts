import type { PurgeReceipt } from '../core/purge.ts';
import type { LedgerEntry } from './ledger-entry.ts';

/** A purge as it stands: what it did, and which requests for erasure were confirmed. */
export interface PurgeState extends PurgeReceipt {
  readonly erasureStates: readonly {
    readonly request: string;
    readonly destination: string;
    readonly segments: number;
    /** When the collector confirmed it, ISO 8601 UTC; `null` while it did not. */
    readonly confirmedAt: string | null;
  }[];
}

/** Every purge in a ledger, oldest first. */
export function purgeHistory(entries: Iterable<LedgerEntry>): PurgeState[] {
  const receipts: PurgeReceipt[] = [];
  const confirmedAt = new Map<string, string>();
  for (const entry of entries) {
    if (entry.type === 'purged') receipts.push(entry.receipt);
    if (entry.type === 'erased') confirmedAt.set(entry.request, entry.at);
  }
  return receipts.map((receipt) => stateOf(receipt, confirmedAt));
}

/** One purge with what is known of its requests. */
export function stateOf(receipt: PurgeReceipt, confirmedAt: ReadonlyMap<string, string>): PurgeState {
  const erasureStates = receipt.erasures.map(({ request, destination, segments }) => ({
    request,
    destination,
    segments: segments.length,
    confirmedAt: confirmedAt.get(request) ?? null,
  }));
  return { ...receipt, erasureStates };
}
