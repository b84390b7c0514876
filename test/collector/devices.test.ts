import { randomBytes, randomUUID } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { booksInFolder } from '../../src/collector/books.ts';
import { enroll, revokeDevice } from '../../src/collector/enroll-command.ts';
import { openIdentity } from '../../src/collector/identity-file.ts';
import { MemoryReplayGuard } from '../../src/collector/replay-guard.ts';
import { fingerprintOf, type KeyPair, makeKeyPair } from '../../src/signing/ed25519.ts';
import { isReplyRight, signIndependently } from '../signing/independent.ts';
import {
  digestField,
  errorCode,
  newKey,
  pathOf,
  type RunningCollector,
  startCollector,
  temporaryFolder,
} from './support.ts';

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** A desk as the commands have it, over the same data folder. */
function desk(dataDir: string, wallMs: () => number = Date.now) {
  const written: string[] = [];
  return {
    devices: booksInFolder(dataDir, 'read-write', wallMs).devices,
    dataDir,
    collectorKey: async () => (await openIdentity(dataDir)).publicKey,
    wallMs,
    write: (text: string) => void written.push(text),
    isJson: true,
    written,
  };
}

async function newToken(
  dataDir: string,
  wallMs?: () => number,
): Promise<{ secret: string; fingerprint: string }> {
  const at = desk(dataDir, wallMs);
  await enroll(at);
  const { token, collectorKey } = JSON.parse(at.written.join('')) as { token: string; collectorKey: string };
  const [secret = '', fingerprint = ''] = token.split('.');
  expect(fingerprint).toBe(collectorKey);
  return { secret, fingerprint };
}

type Signing = Parameters<typeof signIndependently>[2];

async function headersFor(
  keys: KeyPair,
  method: string,
  url: string,
  body: Uint8Array,
  signing: Signing = {},
): Promise<Record<string, string>> {
  const headers = { 'content-digest': digestField(body), 'content-length': String(body.length) };
  const nonce = randomBytes(16).toString('base64url');
  return signIndependently(keys, { method, url, headers }, { nonce, ...signing });
}

async function send(
  method: string,
  url: string,
  body: Uint8Array,
  headers: Record<string, string>,
): Promise<Answer> {
  const response = await fetch(url, { method, body: Buffer.from(body), headers });
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  };
}

async function ask(collector: RunningCollector, keys: KeyPair, device: string, token: string) {
  const url = `${collector.url}/v1/enrol`;
  const body = Buffer.from(JSON.stringify({ token, device, publicKey: keys.publicKey }));
  const headers = await headersFor(keys, 'POST', url, body);
  return { answer: await send('POST', url, body, headers), sent: { method: 'POST', url, headers } };
}

/** A running collector with one enrolled device. */
async function enrolled() {
  const collector = await startCollector(await temporaryFolder());
  const { secret } = await newToken(collector.dataDir);
  const keys = makeKeyPair();
  const key = newKey();
  const { answer } = await ask(collector, keys, key.device, secret);
  expect(answer.status).toBe(201);
  const url = `${collector.url}${pathOf(key)}`;
  return { collector, keys, key, url, secret };
}

const BODY = Buffer.from('a segment');

describe('enrolling', () => {
  it('keeps the key of who brings a token, and answers signed by the key that the token names', async () => {
    const collector = await startCollector(await temporaryFolder());
    const { secret, fingerprint } = await newToken(collector.dataDir);
    const keys = makeKeyPair();
    const device = randomUUID();
    const { answer, sent } = await ask(collector, keys, device, secret);
    const said = JSON.parse(answer.body) as { device: string; collectorKey: string };
    expect([answer.status, said.device]).toEqual([201, device]);
    expect(fingerprintOf(said.collectorKey)).toBe(fingerprint);
    expect(await isReplyRight(said.collectorKey, answer, sent)).toBe(true);
    // Whoever did not hear the answer may ask again.
    expect((await ask(collector, keys, device, secret)).answer.status).toBe(200);
    const catalog = await readFile(join(collector.dataDir, 'catalog.sqlite'), 'latin1');
    expect(catalog).not.toContain(secret);
    expect((await stat(join(collector.dataDir, 'collector-key.json'))).mode & 0o777).toBe(0o600);
  });

  it('takes a token once, on its day, and no other', async () => {
    const { collector, secret } = await enrolled();
    const again = await ask(collector, makeKeyPair(), randomUUID(), secret);
    expect([again.answer.status, errorCode(again.answer)]).toEqual([403, 'token-used']);
    const stranger = await ask(collector, makeKeyPair(), randomUUID(), 'x'.repeat(32));
    expect([stranger.answer.status, errorCode(stranger.answer)]).toEqual([403, 'token-unknown']);
    const old = await newToken(collector.dataDir, () => Date.now() - 25 * 3_600_000);
    const late = await ask(collector, makeKeyPair(), randomUUID(), old.secret);
    expect([late.answer.status, errorCode(late.answer)]).toEqual([403, 'token-expired']);
  });

  it('gives nobody the name of a device that is enrolled, nor takes a key from one who does not hold it', async () => {
    const { collector, key, keys } = await enrolled();
    const { secret } = await newToken(collector.dataDir);
    const taken = await ask(collector, makeKeyPair(), key.device, secret);
    expect([taken.answer.status, errorCode(taken.answer)]).toEqual([409, 'conflict']);
    const thief = { ...makeKeyPair(), publicKey: keys.publicKey };
    const url = `${collector.url}/v1/enrol`;
    const body = Buffer.from(
      JSON.stringify({ token: secret, device: randomUUID(), publicKey: keys.publicKey }),
    );
    const other = makeKeyPair();
    const headers = await headersFor(other, 'POST', url, body, { keyId: fingerprintOf(thief.publicKey) });
    const stolen = await send('POST', url, body, headers);
    expect([stolen.status, errorCode(stolen)]).toEqual([401, 'signature-wrong']);
    // The token is still good.
    expect((await ask(collector, makeKeyPair(), randomUUID(), secret)).answer.status).toBe(201);
  });
});

describe('an enrolled device', () => {
  it('puts what it signs, and gets a receipt that is signed and bound to the request', async () => {
    const { collector, keys, url } = await enrolled();
    const headers = await headersFor(keys, 'PUT', url, BODY);
    const stored = await send('PUT', url, BODY, headers);
    expect([stored.status, stored.headers['content-digest']]).toEqual([201, digestField(BODY)]);
    const { publicKey } = await openIdentity(collector.dataDir);
    expect(await isReplyRight(publicKey, stored, { method: 'PUT', url, headers })).toBe(true);
    const other = { method: 'PUT', url: `${url}0`, headers };
    expect(await isReplyRight(publicKey, stored, other)).toBe(false);
  });

  it('must sign', async () => {
    const { url } = await enrolled();
    const refused = await send('PUT', url, BODY, { 'content-digest': digestField(BODY) });
    expect([refused.status, errorCode(refused)]).toEqual([401, 'signature-missing']);
  });

  it('is heard once: the same request again is a replay', async () => {
    const { keys, url } = await enrolled();
    const headers = await headersFor(keys, 'PUT', url, BODY);
    expect((await send('PUT', url, BODY, headers)).status).toBe(201);
    const again = await send('PUT', url, BODY, headers);
    expect([again.status, errorCode(again)]).toEqual([401, 'replayed']);
  });

  it('cannot be forged: another key, another device, another address, another body', async () => {
    const { collector, keys, key, url } = await enrolled();
    const unknown = await send('PUT', url, BODY, await headersFor(makeKeyPair(), 'PUT', url, BODY));
    expect([unknown.status, errorCode(unknown)]).toEqual([401, 'key-unknown']);
    const keyId = fingerprintOf(keys.publicKey);
    const forged = await send('PUT', url, BODY, await headersFor(makeKeyPair(), 'PUT', url, BODY, { keyId }));
    expect([forged.status, errorCode(forged)]).toEqual([401, 'signature-wrong']);
    const elsewhere = `${collector.url}${pathOf({ ...key, segment: randomUUID() })}`;
    const moved = await send('PUT', elsewhere, BODY, await headersFor(keys, 'PUT', url, BODY));
    expect([moved.status, errorCode(moved)]).toEqual([401, 'signature-wrong']);
    const theirs = `${collector.url}${pathOf(newKey())}`;
    const others = await send('PUT', theirs, BODY, await headersFor(keys, 'PUT', theirs, BODY));
    expect([others.status, errorCode(others)]).toEqual([403, 'other-device']);
    const tampered = await send(
      'PUT',
      url,
      Buffer.from('a segmenT'),
      await headersFor(keys, 'PUT', url, BODY),
    );
    expect([tampered.status, errorCode(tampered)]).toEqual([400, 'digest-mismatch']);
    const deletions = `${collector.url}/v1/devices/${key.device}/deletions`;
    const asked = Buffer.from(JSON.stringify({ request: randomUUID(), segments: [key.segment] }));
    const signed = await headersFor(keys, 'POST', deletions, asked);
    const changed = Buffer.from(asked.toString().replace(key.segment, randomUUID()));
    expect((await send('POST', deletions, changed, signed)).status).toBe(400);
  });

  it.each([
    ['in the past', -3_600_000, 60_000],
    ['in the future', 3_600_000, 60_000],
    ['for longer than five minutes', 0, 301_000],
  ])('is told the time when it signs %s', async (_what, offMs, lifeMs) => {
    const { keys, url } = await enrolled();
    const headers = await headersFor(keys, 'PUT', url, BODY, { createdMs: Date.now() + offMs, lifeMs });
    const late = await send('PUT', url, BODY, headers);
    expect([late.status, errorCode(late)]).toEqual([401, 'signature-time']);
    expect(Math.abs(Date.parse(late.headers['date'] ?? '') - Date.now())).toBeLessThan(60_000);
  });

  it('is heard no more once it is revoked, signed or not, and comes back with a new token and key', async () => {
    const { collector, keys, key, url } = await enrolled();
    await revokeDevice(key.device, desk(collector.dataDir));
    const refused = await send('PUT', url, BODY, await headersFor(keys, 'PUT', url, BODY));
    expect([refused.status, errorCode(refused)]).toEqual([403, 'key-revoked']);
    expect((await send('PUT', url, BODY, { 'content-digest': digestField(BODY) })).status).toBe(401);
    await expect(revokeDevice(key.device, desk(collector.dataDir))).rejects.toThrow('no key of');
    const { secret } = await newToken(collector.dataDir);
    const fresh = makeKeyPair();
    expect((await ask(collector, keys, key.device, secret)).answer.status).toBe(409);
    expect((await ask(collector, fresh, key.device, secret)).answer.status).toBe(201);
    expect((await send('PUT', url, BODY, await headersFor(fresh, 'PUT', url, BODY))).status).toBe(201);
  });
});

describe('a collector that requires enrolment', () => {
  it('takes nothing unsigned', async () => {
    const collector = await startCollector(await temporaryFolder(), { isEnrolmentRequired: true });
    const url = `${collector.url}${pathOf(newKey())}`;
    const refused = await send('PUT', url, BODY, { 'content-digest': digestField(BODY) });
    expect([refused.status, errorCode(refused)]).toEqual([401, 'signature-missing']);
  });

  it('goes by the address that devices know, behind a proxy', async () => {
    const publicUrl = 'https://collector.example.com';
    const collector = await startCollector(await temporaryFolder(), { publicUrl, isEnrolmentRequired: true });
    const { secret } = await newToken(collector.dataDir);
    const keys = makeKeyPair();
    const body = Buffer.from(
      JSON.stringify({ token: secret, device: randomUUID(), publicKey: keys.publicKey }),
    );
    const headers = await headersFor(keys, 'POST', `${publicUrl}/v1/enrol`, body);
    expect((await send('POST', `${collector.url}/v1/enrol`, body, headers)).status).toBe(201);
  });
});

describe('the memory of nonces', () => {
  it('takes each once until it expires, and is full rather than forgetful', async () => {
    const guard = new MemoryReplayGuard(0, 2);
    expect(await guard.take('k', 'a', 100, 0)).toBe('taken');
    expect(await guard.take('k', 'a', 100, 0)).toBe('replayed');
    expect(await guard.take('k', 'b', 200, 0)).toBe('taken');
    expect(await guard.take('k', 'c', 300, 50)).toBe('full');
    expect(await guard.take('other', 'c', 300, 50)).toBe('taken');
    expect(await guard.take('k', 'c', 300, 150)).toBe('taken');
    await guard.tidy(1000);
    expect(await guard.take('k', 'b', 1200, 1000)).toBe('taken');
  });
});
