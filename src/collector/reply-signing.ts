import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { fingerprintOf, type KeyPair, signText } from '../signing/ed25519.ts';
import { replyBase, replyFields } from '../signing/http-signature.ts';
import { formatContentDigest } from './content-digest.ts';
import type { SignedRequest } from './signed-request.ts';

/**
 * Signs a reply for the device that asked: its status and digest, bound to the request by address, body and nonce. A
 * receipt's digest is that of the segment; any other reply gets that of its own body.
 */
export function signReply(
  reply: FastifyReply,
  body: string,
  { parts, parameters: asked }: SignedRequest,
  { identity, wallMs }: { readonly identity: KeyPair; readonly wallMs: () => number },
): void {
  const standing = reply.getHeader('content-digest');
  const contentDigest =
    typeof standing === 'string'
      ? standing
      : formatContentDigest(createHash('sha256').update(body).digest('hex'));
  const parameters = {
    createdS: Math.floor(wallMs() / 1000),
    expiresS: null,
    nonce: asked.nonce,
    keyId: fingerprintOf(identity.publicKey),
  };
  const base = replyBase({ status: reply.statusCode, contentDigest, request: parts }, parameters);
  reply.headers({ 'content-digest': contentDigest, ...replyFields(parameters, signText(identity, base)) });
}
