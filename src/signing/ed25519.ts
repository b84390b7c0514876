import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
} from 'node:crypto';

/** An Ed25519 key as it is kept: RFC 8037's `x` and `d`, 32 bytes each in base64url. */
export interface KeyPair {
  readonly publicKey: string;
  readonly privateKey: string;
}

/** 32 bytes in base64url without padding. */
const KEY = /^[A-Za-z0-9_-]{43}$/;

/** A new key from the system's random numbers. */
export function makeKeyPair(): KeyPair {
  const { x = '', d = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return { publicKey: x, privateKey: d };
}

/** The signature of a text, base64. */
export function signText({ publicKey, privateKey }: KeyPair, text: string): string {
  const key = createPrivateKey({ key: { ...jwkOf(publicKey), d: privateKey }, format: 'jwk' });
  return sign(null, Buffer.from(text), key).toString('base64');
}

/** Whether `signature` (base64) is this key's for that text; `false` also for what is no key or no signature. */
export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  if (!isKey(publicKey)) return false;
  try {
    const key = createPublicKey({ key: jwkOf(publicKey), format: 'jwk' });
    return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}

/** Whether a value has the form of one half of a key. */
export function isKey(value: unknown): value is string {
  return typeof value === 'string' && KEY.test(value);
}

/** What names a public key, and what people compare: its SHA-256 in base64url. */
export function fingerprintOf(publicKey: string): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('base64url');
}

function jwkOf(publicKey: string) {
  return { kty: 'OKP', crv: 'Ed25519', x: publicKey };
}
