import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fingerprintOf, isSignedBy, makeKeyPair, signText } from '../../src/signing/ed25519.ts';
import {
  readReplySignature,
  readRequestSignature,
  replyBase,
  replyFields,
  requestBase,
} from '../../src/signing/http-signature.ts';
import { isReplyProven } from '../../src/signing/reply-check.ts';
import { RequestSigner } from '../../src/signing/request-signer.ts';
import { isReplyRight, isRequestRight, signIndependently } from './independent.ts';

const digest = (text: string): string => `sha-256=:${createHash('sha256').update(text).digest('base64')}:`;
const REQUEST = {
  method: 'PUT',
  url: 'https://collector.example.com/v1/devices/d/segments/s',
  headers: { 'content-digest': digest('body'), 'content-length': '4' },
};
const PARTS = {
  method: 'PUT',
  targetUri: REQUEST.url,
  contentDigest: digest('body'),
  contentLength: '4',
};

describe('signatures of requests', () => {
  it('are found right by another implementation, and wrong once anything that is signed differs', async () => {
    const keys = makeKeyPair();
    const { fields } = new RequestSigner(keys, Date.now).sign(PARTS);
    const sent = { ...REQUEST, headers: { ...REQUEST.headers, ...fields } };
    expect(await isRequestRight(keys.publicKey, sent)).toBe(true);
    for (const wrong of [
      { ...sent, method: 'POST' },
      { ...sent, url: `${sent.url}x` },
      { ...sent, headers: { ...sent.headers, 'content-digest': digest('other') } },
      { ...sent, headers: { ...sent.headers, 'content-length': '5' } },
    ]) {
      expect(await isRequestRight(keys.publicKey, wrong).catch(() => false)).toBe(false);
    }
  });

  it('by another implementation are read and found right', async () => {
    const keys = makeKeyPair();
    const headers = await signIndependently(keys, REQUEST);
    const read = readRequestSignature(headers['Signature-Input'], headers['Signature']);
    expect(read?.parameters.keyId).toBe(fingerprintOf(keys.publicKey));
    if (read === null) throw new Error('it was not read');
    expect(isSignedBy(keys.publicKey, requestBase(PARTS, read.parameters), read.signature)).toBe(true);
    expect(isSignedBy(makeKeyPair().publicKey, requestBase(PARTS, read.parameters), read.signature)).toBe(
      false,
    );
  });

  it('that cover less than all of it are not read', () => {
    const keys = makeKeyPair();
    const { fields } = new RequestSigner(keys, Date.now).sign(PARTS);
    const input = fields['Signature-Input'];
    for (const less of [' "content-digest"', ' "@target-uri"', ';expires=', ';alg="ed25519"'])
      expect(readRequestSignature(input.replace(less, ''), fields.Signature)).toBeNull();
    expect(readRequestSignature(input, undefined)).toBeNull();
    expect(readRequestSignature(input, 'sig=:AAAA:')).toBeNull();
    expect(readRequestSignature(input, fields.Signature)).not.toBeNull();
  });

  it('have a new nonce each time, and follow the collector’s clock once it is known', () => {
    const signer = new RequestSigner(makeKeyPair(), () => 1_000_000_000_000);
    const first = signer.sign(PARTS);
    expect(signer.sign(PARTS).nonce).not.toBe(first.nonce);
    expect(first.fields['Signature-Input']).toContain(';created=1000000000;expires=1000000300;');
    expect(signer.learn(undefined)).toBe(false);
    expect(signer.learn('Wed, 25 Nov 2026 10:00:00 GMT')).toBe(true);
    const createdS = Date.parse('2026-11-25T10:00:00Z') / 1000;
    expect(signer.sign(PARTS).fields['Signature-Input']).toContain(`;created=${createdS};`);
  });
});

describe('signatures of replies', () => {
  const keys = makeKeyPair();
  const request = { method: 'PUT', targetUri: PARTS.targetUri, contentDigest: PARTS.contentDigest };
  const createdS = Math.floor(Date.now() / 1000);
  const nonce = 'abcdefghijklmnopqrstuv';
  const parameters = { createdS, expiresS: null, nonce, keyId: fingerprintOf(keys.publicKey) };
  const contentDigest = digest('{"error":{}}');
  const signature = signText(keys, replyBase({ status: 410, contentDigest, request }, parameters));
  const fields = replyFields(parameters, signature);
  const proof = {
    nonce,
    contentDigest,
    signatureInput: fields['Signature-Input'],
    signature: fields.Signature,
  };

  it('are found right by another implementation', async () => {
    const headers = { 'content-digest': contentDigest, ...fields };
    expect(await isReplyRight(keys.publicKey, { status: 410, headers }, REQUEST)).toBe(true);
    expect(await isReplyRight(keys.publicKey, { status: 200, headers }, REQUEST)).toBe(false);
  });

  it('prove a reply to the one request and nothing else', () => {
    expect(isReplyProven(keys.publicKey, proof, { status: 410, request })).toBe(true);
    const other = makeKeyPair().publicKey;
    expect(isReplyProven(other, proof, { status: 410, request })).toBe(false);
    expect(isReplyProven(keys.publicKey, proof, { status: 200, request })).toBe(false);
    const elsewhere = { ...request, targetUri: `${request.targetUri}0` };
    expect(isReplyProven(keys.publicKey, proof, { status: 410, request: elsewhere })).toBe(false);
    const changed = { ...request, contentDigest: digest('other') };
    expect(isReplyProven(keys.publicKey, proof, { status: 410, request: changed })).toBe(false);
    for (const wrong of [
      { ...proof, nonce: 'another-nonce-of-22-ch' },
      { ...proof, nonce: '' },
      { ...proof, contentDigest: digest('{}') },
      { ...proof, signature: '' },
      { ...proof, signatureInput: '' },
    ]) {
      expect(isReplyProven(keys.publicKey, wrong, { status: 410, request })).toBe(false);
    }
    expect(readReplySignature(fields['Signature-Input'], fields.Signature)?.parameters).toEqual(parameters);
  });
});
