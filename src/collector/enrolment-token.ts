import { createHash, randomBytes } from 'node:crypto';
import { fingerprintOf } from '../signing/ed25519.ts';

/** A token serves once, on the day that it is made. */
export const TOKEN_LIFE_MS = 24 * 3_600_000;

/** 192 bits: nobody tries them out. */
const SECRET_BYTES = 24;

/**
 * A new token, `SECRET.FINGERPRINT`: what lets one device in, and what it checks the collector's key by. Only the
 * secret's hash is kept.
 */
export function makeToken(collectorKey: string): { readonly token: string; readonly hash: string } {
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return { token: `${secret}.${fingerprintOf(collectorKey)}`, hash: hashOfSecret(secret) };
}

/** What a token is known by. */
export function hashOfSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
