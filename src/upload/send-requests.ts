import { createHash } from 'node:crypto';
import { MAX_REQUEST_REPLY_CHARACTERS, type RequestReply, type Round } from '../control/protocol.ts';
import { contentDigest, parseRetryAfter } from './reply-policy.ts';
import { sendSigned } from './send-signed.ts';
import type { Sending } from './sending.ts';

/** An error's message may quote what a server sent. */
const MAX_WHY_CHARACTERS = 200;

/**
 * Posts what a person asks, one after the other, and tells the daemon what came back: what it means is decided there.
 * Stops at the first without any answer, as the next would have none either. Whether all were answered.
 */
export async function sendRequests(
  sending: Sending,
  tell: (reply: RequestReply) => Promise<void>,
): Promise<boolean> {
  for (const request of sending.round.requests) {
    if (sending.aborted.aborted) return false;
    const reply = await postRequest(request, sending);
    await tell(reply);
    if (reply.status === 0) return false;
  }
  return true;
}

/** Posts one, and gives what came back. Never rejects for what a server does. */
export async function postRequest(
  request: Round['requests'][number],
  sending: Sending,
): Promise<RequestReply> {
  const { link, destination, ports } = sending;
  const body = Buffer.from(request.body);
  const chargedBefore = link.chargedBytes;
  const { answer, proof } = await sendSigned(
    {
      method: 'POST',
      path: `${destination.basePath}${request.path}`,
      headers: {
        'Content-Type': 'application/json',
        'Content-Digest': contentDigest(createHash('sha256').update(body).digest('base64')),
        Accept: 'application/json',
      },
      sizeBytes: body.length,
      async *body() {
        yield await Promise.resolve(body);
      },
    },
    sending,
  );
  const chargedBytes = link.chargedBytes - chargedBefore;
  const { id } = request;
  if ('failure' in answer) {
    const detail = `no answer: ${answer.failure.slice(0, MAX_WHY_CHARACTERS)}`;
    return { id, status: 0, body: '', detail, chargedBytes, retryAfterMs: null };
  }
  const { body: text = '' } = answer;
  return {
    id,
    status: answer.status,
    body: text.length <= MAX_REQUEST_REPLY_CHARACTERS ? text : '',
    detail: `the collector answered ${answer.status}`,
    chargedBytes,
    retryAfterMs: parseRetryAfter(answer, ports.wallMs()),
    ...(proof === null ? {} : { proof }),
  };
}
