import type { LedgerFact } from '../privacy/ledger-entry.ts';
import { idsIn, settledOnceAllDone } from './all-done.ts';
import type { RequestHandler } from './person-requests.ts';

/**
 * What a collector says to a request for erasure. It is settled when each segment that was asked for is named as erased,
 * or as one it never had and will never take; that it was is in the ledger then.
 */
export function deletionHandler(record: (facts: readonly LedgerFact[]) => void): RequestHandler {
  return {
    answered: ({ id, body, destination }, reply) => {
      const erased = idsIn(reply['erased']);
      const outcome = settledOnceAllDone(body['segments'], new Set([...erased, ...idsIn(reply['unknown'])]));
      if (outcome.kind === 'again') return outcome;
      const purge = typeof body['purge'] === 'string' ? body['purge'] : '';
      record([{ type: 'erased', purge, request: id, destination, segments: erased.length }]);
      return outcome;
    },
  };
}
