import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { RequestReply, SegmentResult } from '../../src/control/protocol.ts';
import { parseDestination, segmentPath } from '../../src/core/destination.ts';
import { type PersonRequest, requestBody, requestPath } from '../../src/core/person-request.ts';
import type { ReplyProof } from '../../src/core/reply-proof.ts';
import { isSegmentReplyTrusted, trustReply } from '../../src/daemon/reply-trust.ts';
import { fingerprintOf, type KeyPair, makeKeyPair, signText } from '../../src/signing/ed25519.ts';
import { replyBase, replyFields } from '../../src/signing/http-signature.ts';
import { resultOf, UploadDesk } from './upload-desk.ts';

const URL_THERE = 'https://collector.example.com';
const DEVICE = '5a0f8d4e-6a3c-4e0e-9a0b-3d1f2c4b5a69';
const NONCE = 'abcdefghijklmnopqrstuv';
const COLLECTOR = makeKeyPair();
const PINNED = { collectorKey: COLLECTOR.publicKey, deviceKeyFile: '/none' };

const digest = (bytes: string | Buffer): string =>
  `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;

/** What a collector with those keys says of one request. */
function proofOf(
  keys: KeyPair,
  reply: { status: number; body: string },
  request: { method: string; targetUri: string; contentDigest: string },
  nonce = NONCE,
): ReplyProof {
  const contentDigest = digest(reply.body);
  const parameters = { createdS: 1_800_000_000, expiresS: null, nonce, keyId: fingerprintOf(keys.publicKey) };
  const base = replyBase({ status: reply.status, contentDigest, request }, parameters);
  const fields = replyFields(parameters, signText(keys, base));
  return { nonce, contentDigest, signatureInput: fields['Signature-Input'], signature: fields.Signature };
}

const REQUEST: PersonRequest = {
  id: '0199aaaa-0000-7000-8000-000000000001',
  kind: 'exemption',
  destination: URL_THERE,
  device: DEVICE,
  body: { scope: 'all' },
  createdAt: '2026-11-24T14:00:00.000Z',
};
const APPROVED = JSON.stringify({ request: REQUEST.id, state: 'approved', by: 'Ada', reason: '' });

function decision(more: Partial<RequestReply>, asked: PersonRequest = REQUEST): RequestReply {
  const { proof, ...rest } = more;
  const said = {
    id: asked.id,
    status: 200,
    body: APPROVED,
    detail: '',
    chargedBytes: 1,
    retryAfterMs: null,
    ...rest,
  };
  return proof === undefined ? said : { ...said, proof };
}

function signedFor(
  asked: PersonRequest,
  keys = COLLECTOR,
  reply = { status: 200, body: APPROVED },
): ReplyProof {
  return proofOf(keys, reply, {
    method: 'POST',
    targetUri: `${URL_THERE}${requestPath(asked)}`,
    contentDigest: digest(requestBody(asked)),
  });
}

describe('a decision, once a collector’s key is pinned', () => {
  it('counts when that key signed it for this request', () => {
    expect(trustReply(REQUEST, decision({ proof: signedFor(REQUEST) }), PINNED)).toMatchObject({ by: 'Ada' });
  });

  it('counts for nothing unsigned, forged, changed on its way, or given to another request or device', () => {
    const wrong: RequestReply[] = [
      decision({}),
      decision({ proof: signedFor(REQUEST, makeKeyPair()) }),
      decision({ proof: signedFor(REQUEST), body: APPROVED.replace('Ada', 'Eve') }),
      decision({ proof: signedFor(REQUEST), status: 201 }),
      decision({ proof: { ...signedFor(REQUEST), nonce: 'the-nonce-of-this-time' } }),
      decision({ proof: signedFor({ ...REQUEST, body: { scope: 'app:x' } }) }),
      decision({ proof: signedFor({ ...REQUEST, device: '6a0f8d4e-6a3c-4e0e-9a0b-3d1f2c4b5a69' }) }),
      decision({ proof: signedFor({ ...REQUEST, kind: 'deletion' }) }),
    ];
    for (const reply of wrong) expect(trustReply(REQUEST, reply, PINNED)).toBeNull();
  });

  it('needs no signature where nothing is pinned, which is on this machine only', () => {
    expect(trustReply(REQUEST, decision({}), null)).toMatchObject({ state: 'approved' });
  });
});

describe('the word that a segment is to be gone (410)', () => {
  const sha256 = createHash('sha256').update('a segment').digest('hex');
  const gone = (id: string, proof?: ReplyProof): SegmentResult => ({
    ...resultOf(id, 'refused', { status: 410, sha256 }),
    ...(proof === undefined ? {} : { proof }),
  });
  const ABOUT = { sequence: 7, receiptId: '0199aaaa-0000-7000-8000-00000000000f', retentionMs: 86_400_000 };
  const QUERY = `?sequence=7&receipt=${ABOUT.receiptId}&retention=86400`;
  const signedGone = (id: string, url: string, device: string, keys = COLLECTOR, nonce = NONCE): ReplyProof =>
    proofOf(
      keys,
      { status: 410, body: '{}' },
      {
        method: 'PUT',
        targetUri: `${url}/v1/devices/${device}/segments/${id}`,
        contentDigest: digest('a segment'),
      },
      nonce,
    );

  it('is followed when it is signed for this segment of this device, and only then', () => {
    const [id, other] = ['0199aaaa-0000-7000-8000-000000000001', '0199aaaa-0000-7000-8000-000000000002'];
    const round = { url: URL_THERE, device: DEVICE, segments: [] };
    const right = signedGone(id, URL_THERE, DEVICE);
    expect(isSegmentReplyTrusted(gone(id, right), round, PINNED)).toBe(true);
    expect(isSegmentReplyTrusted(gone(id), round, PINNED)).toBe(false);
    expect(isSegmentReplyTrusted(gone(other, right), round, PINNED)).toBe(false);
    expect(isSegmentReplyTrusted({ ...gone(id, right), status: 400 }, round, PINNED)).toBe(false);
    expect(
      isSegmentReplyTrusted(gone(id, { ...right, nonce: 'the-nonce-of-this-time' }), round, PINNED),
    ).toBe(false);
    expect(
      isSegmentReplyTrusted(gone(id, signedGone(id, URL_THERE, DEVICE, makeKeyPair())), round, PINNED),
    ).toBe(false);
    expect(isSegmentReplyTrusted(gone(id, signedGone(id, URL_THERE, other)), round, PINNED)).toBe(false);
    const told = { ...round, segments: [{ id, file: '', sizeBytes: 1, about: ABOUT }] };
    expect(isSegmentReplyTrusted(gone(id, right), told, PINNED)).toBe(false);
    expect(
      isSegmentReplyTrusted(gone(id, signedGone(`${id}${QUERY}`, URL_THERE, DEVICE)), told, PINNED),
    ).toBe(true);
  });

  it('deletes what it names; unsigned or forged it puts that aside', async () => {
    const desk = new UploadDesk();
    if (desk.policy !== null) desk.policy = { ...desk.policy, url: URL_THERE };
    desk.pinned = PINNED;
    const uploader = await desk.startSending(1, 2, 3);
    expect(uploader.round.deviceKeyFile).toBe(PINNED.deviceKeyFile);
    const { segments } = uploader.round;
    const [first, second, third] = segments.map(({ id }) => id);
    if (first === undefined || second === undefined || third === undefined)
      throw new Error('three were sent');
    // The signature covers what the address says beside the id.
    const asSent = (id: string): string => {
      const about = segments.find((segment) => segment.id === id)?.about;
      return segmentPath(parseDestination(URL_THERE), DEVICE, id, about).split('/segments/')[1] ?? '';
    };
    expect(asSent(first)).toMatch(/\?sequence=\d+&receipt=/);
    desk.driver.takeResult(gone(first, signedGone(asSent(first), URL_THERE, DEVICE)));
    desk.driver.takeResult(gone(second));
    desk.driver.takeResult(gone(third, signedGone(asSent(third), URL_THERE, DEVICE, makeKeyPair())));
    expect(desk.stage('outbox')).toEqual([]);
    expect(desk.stage('quarantine')).toHaveLength(2);
    expect(desk.forgotten).toEqual([first]);
    expect(desk.facts).toMatchObject([
      { type: 'dropped', segment: first, cause: 'collector' },
      { type: 'quarantined', segment: second },
      { type: 'quarantined', segment: third },
    ]);
  });

  it('is asked of a receipt too: one that is not signed for this segment is none, and the copy here stays', async () => {
    const desk = new UploadDesk();
    if (desk.policy !== null) desk.policy = { ...desk.policy, url: URL_THERE };
    desk.pinned = PINNED;
    const uploader = await desk.startSending(1, 2);
    const { segments } = uploader.round;
    const receipt = (id: string, keys: KeyPair | null): SegmentResult => {
      const about = segments.find((segment) => segment.id === id)?.about;
      const targetUri = `${URL_THERE}${segmentPath(parseDestination(URL_THERE), DEVICE, id, about)}`;
      const request = { method: 'PUT', targetUri, contentDigest: digest('a segment') };
      const proof = keys && proofOf(keys, { status: 201, body: 'a segment' }, request);
      return resultOf(id, 'stored', { sha256, ...(proof === null ? {} : { proof }) });
    };
    const [first = '', second = ''] = segments.map(({ id }) => id);
    desk.driver.takeResult(receipt(first, COLLECTOR));
    expect(desk.stage('sent')).toEqual([1]);
    desk.driver.takeResult(receipt(second, makeKeyPair()));
    desk.driver.takeResult(receipt(second, null));
    await uploader.exit();
    expect(desk.stage('sent')).toEqual([1]);
    expect(desk.stage('sealed')).toEqual([2]);
    expect(desk.blockers()).toEqual(['collector-backoff']);
  });
});
