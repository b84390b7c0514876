import type { LedgerFact } from '../privacy/ledger-entry.ts';
import type { RequestHandler } from './person-requests.ts';

/** A collector that is not done with it is asked again in so long. */
const ASK_AGAIN_MS = 60_000;

/**
 * What a collector says to a request for erasure. It is settled when each segment that was asked for is named as erased,
 * or as one it never had and will never take; that it was is in the ledger then.
 */
export function deletionHandler(record: (facts: readonly LedgerFact[]) => void): RequestHandler {
  return {
    answered: ({ id, body, destination }, reply) => {
      const erased = idsIn(reply['erased']);
      const done = new Set([...erased, ...idsIn(reply['unknown'])]);
      if (!idsIn(body['segments']).every((segment) => done.has(segment)))
        return { kind: 'again', afterMs: ASK_AGAIN_MS };
      const purge = typeof body['purge'] === 'string' ? body['purge'] : '';
      record([{ type: 'erased', purge, request: id, destination, segments: erased.length }]);
      return { kind: 'settled' };
    },
  };
}

function idsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((id): id is string => typeof id === 'string') : [];
}
