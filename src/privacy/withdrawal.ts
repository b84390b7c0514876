import type { ConsentReceipt } from './consent.ts';

/** A collector that must be told of a revocation, and the receipts under which it has, or may have, got something. */
export interface Withdrawal {
  readonly destination: string;
  readonly receipts: readonly string[];
}

/** A request has at most 64 KiB; who agreed anew a thousand times told of the older ones before. */
const MAX_RECEIPTS = 1000;

/** Whom to tell that consent is taken back: every place that a receipt names, each once. */
export function withdrawalsOf(receipts: readonly Pick<ConsentReceipt, 'id' | 'destination'>[]): Withdrawal[] {
  const byPlace = Map.groupBy(
    receipts.filter(({ destination }) => destination !== ''),
    ({ destination }) => destination,
  );
  return [...byPlace].map(([destination, there]) => ({
    destination,
    receipts: there.slice(-MAX_RECEIPTS).map(({ id }) => id),
  }));
}
