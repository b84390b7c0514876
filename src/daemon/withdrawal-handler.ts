import type { Log } from '../core/clock.ts';
import type { ConsentReceipt } from '../privacy/consent.ts';
import { withdrawalsOf } from '../privacy/withdrawal.ts';
import { idsIn, settledOnceAllDone } from './all-done.ts';
import type { PersonRequests, RequestHandler } from './person-requests.ts';

/** What a collector says to the word that consent is taken back: settled when it names every receipt as withdrawn. */
export function withdrawalHandler(log: Log): RequestHandler {
  return {
    answered: ({ body, destination }, reply) => {
      const outcome = settledOnceAllDone(body['receipts'], new Set(idsIn(reply['withdrawn'])));
      if (outcome.kind === 'settled')
        log.info(
          { event: 'withdrawal-known', destination },
          'the collector knows that consent was taken back',
        );
      return outcome;
    },
  };
}

/**
 * Tells every collector that may have something under these receipts and that can be reached. Asked before the receipts
 * are revoked: killed between the two, it is the person's word all the same.
 */
export function tellWithdrawal(
  receipts: readonly ConsentReceipt[],
  requests: Pick<PersonRequests, 'add' | 'mayGo'>,
): void {
  for (const { destination, receipts: ids } of withdrawalsOf(receipts))
    if (requests.mayGo(destination))
      requests.add({ kind: 'withdrawal', destination, body: { receipts: ids } });
}
