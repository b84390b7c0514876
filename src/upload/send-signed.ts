import { targetUri } from '../core/destination.ts';
import type { ReplyProof } from '../core/reply-proof.ts';
import type { LinkFailure, LinkRequest } from './exchange.ts';
import type { CollectorReply } from './reply-policy.ts';
import type { Sending } from './sending.ts';

/** An answer, and what shows whose it is; no proof where nothing was signed. */
export interface Answer {
  readonly answer: CollectorReply | LinkFailure;
  readonly proof: ReplyProof | null;
}

/**
 * Sends a request, signed where this device is enrolled. A refusal that carries the collector's clock is believed once:
 * the request is signed again by that, which is also what a repeated nonce needs.
 */
export async function sendSigned(
  request: LinkRequest & { readonly headers: { readonly 'Content-Digest': string } },
  { link, destination, signer, aborted, overdue }: Sending,
): Promise<Answer> {
  const signal = AbortSignal.any([aborted, overdue]);
  if (signer === null) return { answer: await link.send(request, signal), proof: null };
  let nonce = '';
  const signing: LinkRequest = {
    ...request,
    sign: () => {
      const signed = signer.sign({
        method: request.method,
        targetUri: targetUri(destination, request.path),
        contentDigest: request.headers['Content-Digest'],
        contentLength: String(request.sizeBytes),
      });
      ({ nonce } = signed);
      return { ...signed.fields };
    },
  };
  let answer = await link.send(signing, signal);
  if ('status' in answer && answer.status === 401 && signer.learn(answer.date))
    answer = await link.send(signing, signal);
  return { answer, proof: 'status' in answer ? proofOf(answer, nonce) : null };
}

function proofOf(
  { contentDigest, signatureInput, signature }: CollectorReply,
  nonce: string,
): ReplyProof | null {
  if (contentDigest === undefined || signatureInput === undefined || signature === undefined) return null;
  return { nonce, contentDigest, signatureInput, signature };
}
