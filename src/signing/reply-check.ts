import { fingerprintOf, isSignedBy } from './ed25519.ts';
import { type ReplyParts, readReplySignature, replyBase } from './http-signature.ts';

/** What shows that a reply is the collector's: its signature's fields, and the nonce of the request it answers. */
export interface ReplyProof {
  readonly nonce: string;
  readonly contentDigest: string;
  readonly signatureInput: string;
  readonly signature: string;
}

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
