import type { ReplyProof } from '../core/reply-proof.ts';
import { fingerprintOf, isSignedBy } from './ed25519.ts';
import { type ReplyParts, readReplySignature, replyBase } from './http-signature.ts';

/** Whether the holder of `collectorKey` said this, in answer to that very request. */
export function isReplyProven(
  collectorKey: string,
  { nonce, contentDigest, signatureInput, signature }: ReplyProof,
  { status, request }: Pick<ReplyParts, 'status' | 'request'>,
): boolean {
  const read = readReplySignature(signatureInput, signature);
  if (read === null || nonce === '' || read.parameters.nonce !== nonce) return false;
  if (read.parameters.keyId !== fingerprintOf(collectorKey)) return false;
  const base = replyBase({ status, contentDigest, request }, read.parameters);
  return isSignedBy(collectorKey, base, read.signature);
}
