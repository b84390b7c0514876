import { randomBytes } from 'node:crypto';
import { fingerprintOf, type KeyPair, signText } from './ed25519.ts';
import { type RequestParts, requestBase, requestFields, type SignatureFields } from './http-signature.ts';

/** What collectors take at most; the longer, the more a slow clock may be wrong before it is noticed. */
export const MAX_VALIDITY_S = 300;

/** 128 bits are never drawn twice. */
const NONCE_BYTES = 16;

/** A signed request: its fields, and the nonce that its reply must repeat. */
export interface SignedRequest {
  readonly fields: SignatureFields;
  readonly nonce: string;
}

/** Signs a device's requests, by the collector's clock once that is known. The system clock is never touched. */
export class RequestSigner {
  readonly #keys: KeyPair;
  readonly #wallMs: () => number;
  #offsetMs = 0;

  constructor(keys: KeyPair, wallMs: () => number) {
    this.#keys = keys;
    this.#wallMs = wallMs;
  }

  /** Each call makes a new nonce: a request that is repeated must be signed anew. */
  sign(parts: RequestParts): SignedRequest {
    const createdS = Math.floor((this.#wallMs() + this.#offsetMs) / 1000);
    const nonce = randomBytes(NONCE_BYTES).toString('base64url');
    const keyId = fingerprintOf(this.#keys.publicKey);
    const parameters = { createdS, expiresS: createdS + MAX_VALIDITY_S, nonce, keyId };
    return { nonce, fields: requestFields(parameters, signText(this.#keys, requestBase(parts, parameters))) };
  }

  /** Takes the collector's clock from a `Date` field; whether there was one. */
  learn(date: string | undefined): boolean {
    const serverMs = Date.parse(date ?? '');
    if (Number.isNaN(serverMs)) return false;
    this.#offsetMs = serverMs - this.#wallMs();
    return true;
  }
}
