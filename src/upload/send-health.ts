import { HEALTH_REPLY, type RequestReply } from '../control/protocol.ts';
import { estimateCharge } from './charge.ts';
import { postRequest } from './send-requests.ts';
import type { Sending } from './sending.ts';

/**
 * Tells the collector of the program here, over the connection that the round's segments went by and from what they left
 * of its budget. `null`: there is nothing to tell, or not enough left for it, or no connection, which it is not worth.
 */
export async function sendHealth(sending: Sending, leftBytes: number): Promise<RequestReply | null> {
  const { round, link, destination, aborted } = sending;
  if (round.health === undefined || aborted.aborted || !link.isConnected) return null;
  const { path, body } = round.health;
  const line = { isConnected: true, isSecure: destination.isSecure };
  if (estimateCharge(Buffer.byteLength(body), line) > leftBytes) return null;
  return postRequest({ id: HEALTH_REPLY, path, body }, sending);
}
