import type { FastifyRequest } from 'fastify';
import { isSignedBy } from '../signing/ed25519.ts';
import {
  type RequestParts,
  readRequestSignature,
  requestBase,
  type SignatureParameters,
} from '../signing/http-signature.ts';

/** A request with a signature, not judged yet. */
export interface SignedRequest {
  readonly parts: RequestParts;
  readonly parameters: SignatureParameters;
  readonly signature: string;
}

/**
 * The signature of a request; `null` when it has none, `malformed` when it has one that is not of our form. `base` is
 * what devices call this collector, where that is not what its connections say (behind a proxy).
 */
export function readSigned({ raw }: FastifyRequest, base: string | null): SignedRequest | 'malformed' | null {
  const { headers } = raw;
  const { 'signature-input': input, signature, 'content-digest': contentDigest } = headers;
  if (input === undefined && signature === undefined) return null;
  const read = readRequestSignature(one(input), one(signature));
  const contentLength = headers['content-length'];
  if (read === null || contentLength === undefined || typeof contentDigest !== 'string') return 'malformed';
  const isSecure = 'encrypted' in raw.socket;
  const targetUri = `${base ?? `${isSecure ? 'https' : 'http'}://${headers.host ?? ''}`}${raw.url ?? ''}`;
  return { ...read, parts: { method: raw.method ?? '', targetUri, contentDigest, contentLength } };
}

/** Whether the signature is that key's, over this method, address, digest and length. */
export function isSignatureRight(
  { parts, parameters, signature }: SignedRequest,
  publicKey: string,
): boolean {
  return isSignedBy(publicKey, requestBase(parts, parameters), signature);
}

/** Several fields of one name are none of ours. */
function one(field: string | string[] | undefined): string | undefined {
  return typeof field === 'string' ? field : undefined;
}
