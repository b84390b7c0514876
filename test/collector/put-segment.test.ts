import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { segmentPath } from '../../src/collector/object-store-files.ts';
import {
  digestField,
  errorCode,
  keptFiles,
  newKey,
  pathOf,
  put,
  sha256,
  startCollector,
  temporaryFolder,
} from './support.ts';
import { forgetRows, open, replyTo, rows } from './wire.ts';

describe('PUT of a segment', () => {
  it('keeps the bytes, answers 201 with their digest, and 200 the next time', async () => {
    const { url, dataDir } = await startCollector(await temporaryFolder());
    const key = newKey();
    const body = randomBytes(300_000);
    const first = await put(url, key, body);
    expect(first.status).toBe(201);
    expect(first.headers['content-digest']).toBe(digestField(body));
    expect(await readFile(segmentPath(dataDir, key))).toEqual(body);
    const again = await put(url, key, body);
    expect(again.status).toBe(200);
    expect(again.headers['content-digest']).toBe(digestField(body));
    expect(rows(dataDir)).toEqual([{ ...key, sha256: sha256(body), size: 300_000 }]);
  });

  it('takes ids in upper case as the same ids', async () => {
    const { url, dataDir } = await startCollector(await temporaryFolder());
    const key = newKey();
    const body = randomBytes(10);
    await put(url, key, body);
    const upper = { device: key.device.toUpperCase(), segment: key.segment.toUpperCase() };
    expect((await put(url, upper, body)).status).toBe(200);
    expect(await keptFiles(dataDir)).toHaveLength(1);
  });

  it('takes a chunked body and a type it does not know', async () => {
    const { url, dataDir } = await startCollector(await temporaryFolder());
    const key = newKey();
    const request = open(url, pathOf(key), {
      'content-digest': digestField(Buffer.from('hello')),
      'content-type': 'application/x-whatever',
      'transfer-encoding': 'chunked',
    });
    request.write('hel');
    request.end('lo');
    expect((await replyTo(request)).status).toBe(201);
    expect(await readFile(segmentPath(dataDir, key), 'utf8')).toBe('hello');
  });

  it('answers 409 to another content under the same id and keeps the first', async () => {
    const { url, dataDir } = await startCollector(await temporaryFolder());
    const key = newKey();
    const body = randomBytes(1000);
    await put(url, key, body);
    const other = await put(url, key, randomBytes(1000));
    expect(other.status).toBe(409);
    expect(errorCode(other)).toBe('conflict');
    expect(other.body).toContain(digestField(body));
    expect(await readFile(segmentPath(dataDir, key))).toEqual(body);
  });

  it.each([
    ['no digest', {}, 'digest-missing'],
    ['only another algorithm', { 'content-digest': 'sha-512=:YWJj:' }, 'digest-missing'],
    ['a digest that is none', { 'content-digest': 'sha-256=abc' }, 'digest-malformed'],
    ['the digest of something else', { 'content-digest': digestField(Buffer.from('x')) }, 'digest-mismatch'],
    [
      'a part',
      { 'content-digest': digestField(Buffer.from('x')), 'content-range': 'bytes 0-9/20' },
      'bad-request',
    ],
  ])('answers 400 to %s and keeps nothing', async (_what, headers, code) => {
    const { url, dataDir } = await startCollector(await temporaryFolder());
    const reply = await put(url, newKey(), randomBytes(100), headers);
    expect(reply.status).toBe(400);
    expect(errorCode(reply)).toBe(code);
    expect(reply.headers['content-digest']).toBeUndefined();
    expect(await keptFiles(dataDir)).toEqual([]);
    expect(rows(dataDir)).toEqual([]);
  });

  it('answers 400 to an empty body and to ids that are no UUIDs', async () => {
    const { url, dataDir } = await startCollector(await temporaryFolder());
    const empty = await put(url, newKey(), Buffer.alloc(0));
    expect([empty.status, errorCode(empty)]).toEqual([400, 'bad-body']);
    for (const key of [
      { ...newKey(), device: 'laptop' },
      { ...newKey(), segment: '..%2F..%2Fetc%2Fpasswd' },
      { ...newKey(), segment: `${newKey().segment}0` },
    ]) {
      const reply = await put(url, key, randomBytes(10));
      expect([reply.status, errorCode(reply)]).toEqual([400, 'bad-id']);
    }
    expect(await keptFiles(dataDir)).toEqual([]);
  });

  it('keeps exactly one of many equal PUTs at once and answers each of them truthfully', async () => {
    const { url, dataDir } = await startCollector(await temporaryFolder());
    const key = newKey();
    const body = randomBytes(200_000);
    const replies = await Promise.all(Array.from({ length: 12 }, () => put(url, key, body)));
    expect(replies.filter((reply) => reply.status === 201)).toHaveLength(1);
    expect(replies.filter((reply) => reply.status === 200)).toHaveLength(11);
    expect(replies.every((reply) => reply.headers['content-digest'] === digestField(body))).toBe(true);
    expect(await keptFiles(dataDir)).toHaveLength(1);
    expect(rows(dataDir)).toHaveLength(1);
  });

  it('gives one of two contents that race for an id the place and tells the other 409', async () => {
    const { url, dataDir } = await startCollector(await temporaryFolder());
    for (let round = 0; round < 10; round++) {
      const key = newKey();
      const bodies = [randomBytes(5000), randomBytes(5000)];
      const replies = await Promise.all(bodies.map((body) => put(url, key, body)));
      expect(replies.map((reply) => reply.status).sort()).toEqual([201, 409]);
      const winner = bodies[replies.findIndex((reply) => reply.status === 201)];
      expect(await readFile(segmentPath(dataDir, key))).toEqual(winner);
    }
    expect(rows(dataDir)).toHaveLength(10);
  });

  it('takes a segment again whose file someone removed', async () => {
    const { url, dataDir } = await startCollector(await temporaryFolder());
    const key = newKey();
    const body = randomBytes(100);
    await put(url, key, body);
    await rm(segmentPath(dataDir, key));
    expect((await put(url, key, body)).status).toBe(201);
    expect(await readFile(segmentPath(dataDir, key))).toEqual(body);
  });
});

describe('a file without a row, as a crash leaves it', () => {
  it('gets its row at the start', async () => {
    const dataDir = await temporaryFolder();
    const first = await startCollector(dataDir);
    const key = newKey();
    const body = randomBytes(1000);
    await put(first.url, key, body);
    await first.stop();
    const [before] = rows(dataDir);
    forgetRows(dataDir);

    const second = await startCollector(dataDir);
    expect(rows(dataDir)).toEqual([before]);
    expect(second.log).toContainEqual({ fields: { adopted: 1 }, message: expect.any(String) as string });
    expect((await put(second.url, key, body)).status).toBe(200);
  });

  it('gets its row with the next PUT of the same content', async () => {
    const { url, dataDir } = await startCollector(await temporaryFolder());
    const key = newKey();
    const body = randomBytes(1000);
    await put(url, key, body);
    const before = rows(dataDir);
    forgetRows(dataDir);
    expect((await put(url, key, body)).status).toBe(200);
    expect(rows(dataDir)).toEqual(before);
  });

  it('gets its row, and stands, when another content comes under its id', async () => {
    const { url, dataDir } = await startCollector(await temporaryFolder());
    const key = newKey();
    const body = randomBytes(1000);
    await put(url, key, body);
    const before = rows(dataDir);
    forgetRows(dataDir);
    expect((await put(url, key, randomBytes(1000))).status).toBe(409);
    expect(rows(dataDir)).toEqual(before);
    expect(await readFile(segmentPath(dataDir, key))).toEqual(body);
  });
});
