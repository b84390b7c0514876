import { createHash, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { booksInFolder } from '../../src/collector/books.ts';
import { hashOfSecret } from '../../src/collector/enrolment-token.ts';
import { openIdentity } from '../../src/collector/identity-file.ts';
import type { RequestReply, SegmentResult } from '../../src/control/protocol.ts';
import { parseDestination, segmentPath, targetUri } from '../../src/core/destination.ts';
import { fingerprintOf, makeKeyPair } from '../../src/signing/ed25519.ts';
import { enrolmentJson } from '../../src/signing/enrolment.ts';
import { isReplyProven } from '../../src/signing/reply-check.ts';
import { CollectorLink } from '../../src/upload/collector-link-node.ts';
import { roundKey } from '../../src/upload/device-key.ts';
import { Pace } from '../../src/upload/pace.ts';
import { sendHealth } from '../../src/upload/send-health.ts';
import { sendRequests } from '../../src/upload/send-requests.ts';
import { sendSegment } from '../../src/upload/send-segment.ts';
import type { Sending } from '../../src/upload/sending.ts';
import { startCollector, temporaryFolder } from '../collector/support.ts';
import { makeCertificate } from './self-signed.ts';
import { Outbox } from './uploader-process.ts';

/**
 * An enrolled device with a file to send, whose clock is off by so much, and its real collector; `authority`: which
 * speaks TLS under an authority that only the enrolment knows, or that nobody knows.
 */
async function enrolledDevice(clockOffMs: number, authority: 'none' | 'pinned' | 'unknown' = 'none') {
  const folder = await temporaryFolder();
  const { key, cert } = makeCertificate(folder);
  const tls = authority === 'none' ? null : { key: Buffer.from(key), cert: Buffer.from(cert) };
  const collector = await startCollector(join(folder, 'data'), { tls });
  const { url, dataDir } = collector;
  const devices = booksInFolder(dataDir, 'read-write', Date.now).devices;
  await devices.start();
  onTestFinished(() => devices.stop());
  const keys = makeKeyPair();
  const device = randomUUID();
  const tokenHash = hashOfSecret('secret');
  await devices.addToken(tokenHash, Date.now() + 60_000);
  const keyId = fingerprintOf(keys.publicKey);
  await devices.enrol({ tokenHash, device, keyId, publicKey: keys.publicKey });
  const { publicKey: collectorKey } = await openIdentity(dataDir);
  const box = new Outbox();
  onTestFinished(() => box.remove());
  const segment = randomUUID();
  box.add(Buffer.from('a segment'), segment);
  const deviceKeyFile = join(box.folder, 'device-key.json');
  const enrolment = {
    url,
    device,
    keys,
    collectorKey,
    ca: authority === 'pinned' ? cert : null,
    enrolledAt: '',
  };
  writeFileSync(deviceKeyFile, JSON.stringify(enrolmentJson(enrolment)));
  const request = { id: randomUUID(), path: `/v1/devices/${device}/deletions` };
  const body = JSON.stringify({ request: request.id, segments: [segment] });
  const round = box.round(url, { device, deviceKeyFile, requests: [{ ...request, body }] });
  const destination = parseDestination(url);
  const wallMs = (): number => Date.now() + clockOffMs;
  const pinned = roundKey(round, wallMs);
  const link = new CollectorLink(destination, { ca: pinned?.ca ?? null });
  onTestFinished(() => link.close());
  const sending: Sending = {
    round,
    destination,
    link,
    pace: new Pace(1e9),
    signer: pinned?.signer ?? null,
    ports: { monoMs: () => performance.now(), wallMs, sleep: () => Promise.resolve() },
    aborted: new AbortController().signal,
    overdue: new AbortController().signal,
  };
  return { collector, devices, device, collectorKey, sending, destination, segment };
}

/** What the collector is told of the segment, under the signature. */
const ABOUT = { sequence: 7, receiptId: randomUUID(), retentionMs: 30 * 86_400_000 };

async function put({ sending, segment }: { sending: Sending; segment: string }): Promise<SegmentResult> {
  const [file] = sending.round.segments;
  if (file === undefined) throw new Error('there is no file');
  const sent = await sendSegment({ ...file, id: segment, about: ABOUT }, 1e9, sending);
  if (typeof sent === 'string') throw new Error(sent);
  return sent;
}

describe('an enrolled device', () => {
  it.each([0, -86_400_000, 86_400_000])('sends with a clock that is off by %d ms', async (offMs) => {
    const at = await enrolledDevice(offMs);
    const first = await put(at);
    expect(first).toMatchObject({ outcome: 'stored', status: 201 });
    expect(Math.round((first.keptForMs ?? 0) / 86_400_000)).toBe(30);
    const refusals = at.collector.log.filter(({ message }) => message === 'a request was refused');
    expect(refusals).toHaveLength(offMs === 0 ? 0 : 1);
    // What was learnt is kept for the round: the next one is right at once, over the same connection.
    expect(await put(at)).toMatchObject({ outcome: 'stored', status: 200 });
    expect(at.collector.log.filter(({ message }) => message === 'a request was refused')).toEqual(refusals);
  });

  it('sends under the certificate authority of its enrolment, and to no other', async () => {
    const known = await enrolledDevice(0, 'pinned');
    expect(known.destination.isSecure).toBe(true);
    expect(await put(known)).toMatchObject({ outcome: 'stored', status: 201 });
    const unknown = await enrolledDevice(0, 'unknown');
    expect(await put(unknown)).toMatchObject({
      outcome: 'retry',
      detail: expect.stringMatching(/SELF_SIGNED/) as unknown,
    });
  });

  it('hands over what proves the collector’s replies', async () => {
    const at = await enrolledDevice(0);
    await put(at);
    const replies: RequestReply[] = [];
    await sendRequests(at.sending, (reply) => {
      replies.push(reply);
      return Promise.resolve();
    });
    const [confirmed] = replies;
    const [asked] = at.sending.round.requests;
    if (confirmed?.proof === undefined || asked === undefined) throw new Error('the reply is not signed');
    const digestOf = (text: string): string =>
      `sha-256=:${createHash('sha256').update(text).digest('base64')}:`;
    expect(confirmed.proof.contentDigest).toBe(digestOf(confirmed.body));
    const uri = targetUri(at.destination, asked.path);
    const request = { method: 'POST', targetUri: uri, contentDigest: digestOf(asked.body) };
    expect(isReplyProven(at.collectorKey, confirmed.proof, { status: 200, request })).toBe(true);
    // It was erased now: the collector says so, signed.
    const gone = await put(at);
    expect(gone).toMatchObject({ outcome: 'refused', status: 410 });
    if (gone.proof === undefined) throw new Error('the 410 is not signed');
    const path = segmentPath(at.destination, at.device, at.segment, ABOUT);
    const contentDigest = digestOf('a segment');
    const sent = { method: 'PUT', targetUri: targetUri(at.destination, path), contentDigest };
    expect(isReplyProven(at.collectorKey, gone.proof, { status: 410, request: sent })).toBe(true);
  });

  it('tells of the program on it', async () => {
    const at = await enrolledDevice(0);
    const health = { version: '1.2.3', backend: 'x11', codes: ['storage'] };
    const round = {
      ...at.sending.round,
      health: { health, path: `/v1/devices/${at.device}/health`, body: JSON.stringify(health) },
    };
    // It is worth no connection of its own.
    expect(await sendHealth({ ...at.sending, round }, 1e9)).toBeNull();
    await put(at);
    expect(await sendHealth({ ...at.sending, round }, 1e9)).toMatchObject({ status: 200, body: '{}' });
    const { health: book } = booksInFolder(at.collector.dataDir, 'read-only', Date.now);
    await book.start();
    expect(await book.list()).toMatchObject([{ device: at.device, ...health }]);
    await book.stop();
  });

  it('stops when it is revoked', async () => {
    const at = await enrolledDevice(0);
    await at.devices.revoke(at.device);
    expect(await put(at)).toMatchObject({ outcome: 'unauthorised', status: 403 });
  });
});
