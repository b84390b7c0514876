import { randomBytes } from 'node:crypto';
import { hashOfSecret } from './enrolment-token.ts';

/** Tells what it is wherever it turns up: a log, a scanner of leaked secrets. */
const PREFIX = 'tcr_';
/** 256 bits: nobody tries them out. */
const SECRET_BYTES = 32;

/** A new token for a reader. Only its hash is kept. */
export function makeReaderToken(): { readonly token: string; readonly hash: string } {
  const token = `${PREFIX}${randomBytes(SECRET_BYTES).toString('base64url')}`;
  return { token, hash: hashOfReaderToken(token) };
}

/** What a token is known by. */
export function hashOfReaderToken(token: string): string {
  return hashOfSecret(token);
}
