import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { httpbis } from 'http-message-signatures';
import { fingerprintOf, type KeyPair } from '../../src/signing/ed25519.ts';

type Headers = Record<string, string>;

interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
}

/** Signs a request with somebody else's implementation of RFC 9421. */
export async function signIndependently(
  keys: KeyPair,
  request: Sent,
  more: { createdMs?: number; lifeMs?: number; nonce?: string; keyId?: string } = {},
): Promise<Headers> {
  const { createdMs = Date.now(), lifeMs = 60_000, nonce = 'n'.repeat(22) } = more;
  const { publicKey: x, privateKey: d } = keys;
  const key = createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', x, d }, format: 'jwk' });
  const signed = await httpbis.signMessage(
    {
      name: 'sig',
      key: {
        id: more.keyId ?? fingerprintOf(x),
        alg: 'ed25519',
        sign: (data) => Promise.resolve(sign(null, data, key)),
      },
      fields: ['@method', '@target-uri', 'content-digest', 'content-length'],
      params: ['created', 'expires', 'nonce', 'keyid', 'alg'],
      paramValues: { created: new Date(createdMs), expires: new Date(createdMs + lifeMs), nonce },
    },
    { ...request, headers: { ...request.headers } },
  );
  return signed.headers;
}

/** Whether that implementation finds a request rightly signed. */
export async function isRequestRight(publicKey: string, request: Sent): Promise<boolean> {
  return (await httpbis.verifyMessage(configFor(publicKey), { ...request })) === true;
}

/** Whether it finds a reply rightly signed, to that request. */
export async function isReplyRight(
  publicKey: string,
  reply: { readonly status: number; readonly headers: Headers },
  request: Sent,
): Promise<boolean> {
  return (await httpbis.verifyMessage(configFor(publicKey), { ...reply }, { ...request })) === true;
}

function configFor(x: string) {
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  const check = (data: Buffer, signature: Buffer) => Promise.resolve(verify(null, data, key, signature));
  return { keyLookup: () => Promise.resolve({ id: fingerprintOf(x), algs: ['ed25519'], verify: check }) };
}
