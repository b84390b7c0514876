import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { booksInFolder } from '../../src/collector/books.ts';
import type { IndexLine } from '../../src/collector/index-lines.ts';
import { summarizeSequence } from '../../src/collector/index-lines.ts';
import type { ErasedLine } from '../../src/collector/list-lines.ts';
import { makeReaderToken } from '../../src/collector/reader-token.ts';
import { readSince } from '../../src/collector/since.ts';
import { decryptWith, encryptFor, newIdentity } from '../../src/segment/age-file.ts';
import {
  collect,
  digestField,
  newKey,
  pathOf,
  post,
  putSaying,
  sha256,
  startCollector,
  temporaryFolder,
} from './support.ts';

/** A collector with a reader, and what the reader gets. */
async function withReader() {
  const dataDir = await temporaryFolder();
  const collector = await startCollector(dataDir);
  const { readers } = booksInFolder(dataDir, 'read-write', Date.now);
  onTestFinished(() => readers.stop());
  await readers.start();
  const { token, hash } = makeReaderToken();
  await readers.add('team', hash, Date.now());
  const get = (path: string, authorization = `Bearer ${token}`): Promise<Response> =>
    fetch(`${collector.url}${path}`, { headers: { authorization } });
  const keep = async (key: ReturnType<typeof newKey>, query: string, body: Uint8Array = randomBytes(100)) => {
    expect((await putSaying(collector.url, key, query, body)).status).toBe(201);
  };
  const tell = async (path: string, body: object): Promise<void> => {
    expect((await post(`${collector.url}${path}`, body)).status).toBe(200);
  };
  const lines = async <Line>(path: string): Promise<Line[]> =>
    (await (await get(path)).text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
  return { ...collector, readers, token, get, keep, tell, lines };
}

describe('a reader', () => {
  it('gets what may be used, as it was sent, and each read is written down', async () => {
    const { get, keep, readers } = await withReader();
    const key = newKey();
    const body = randomBytes(100_000);
    await keep(key, `sequence=1&receipt=${newKey().segment}`, body);
    const response = await get(pathOf(key));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-digest')).toBe(digestField(body));
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);
    expect(await collect(readers.accesses(0))).toMatchObject([{ reader: 'team', what: 'segment', ...key }]);
  });

  it('gets nothing that is not written down first', async () => {
    const { get, keep, readers, dataDir } = await withReader();
    const key = newKey();
    await keep(key, `receipt=${newKey().segment}`);
    const { catalog } = booksInFolder(dataDir, 'read-write', Date.now);
    await catalog.start();
    onTestFinished(() => catalog.stop());
    const db = new (await import('node:sqlite')).DatabaseSync(join(dataDir, 'catalog.sqlite'));
    db.exec("CREATE TRIGGER refuse BEFORE INSERT ON access_log BEGIN SELECT RAISE(ABORT, 'no'); END");
    db.close();
    expect((await get(pathOf(key))).status).toBe(500);
    expect((await get('/v1/segments')).status).toBe(500);
    expect(await collect(readers.accesses(0))).toEqual([]);
  });

  it('is nobody without a token that counts', async () => {
    const { get, keep, readers, token, url } = await withReader();
    const key = newKey();
    await keep(key, `receipt=${newKey().segment}`);
    for (const path of [pathOf(key), '/v1/segments', '/v1/erased']) {
      expect((await fetch(`${url}${path}`)).status).toBe(401);
      expect((await get(path, 'Bearer tcr_wrong')).status).toBe(401);
      expect((await get(path, `Basic ${token}`)).status).toBe(401);
    }
    await readers.revoke('team', Date.now());
    expect((await get(pathOf(key))).status).toBe(401);
    expect(await collect(readers.accesses(0))).toEqual([]);
  });

  it('sees in the index what may be used and which numbers are missing, and that it is whole', async () => {
    const { keep, lines, tell } = await withReader();
    const { device } = newKey();
    const receipt = newKey().segment;
    const keys = Array.from({ length: 4 }, () => ({ ...newKey(), device }));
    for (const [at, key] of keys.entries())
      await keep(key, `sequence=${[3, 4, 8, 9][at] ?? 0}&receipt=${receipt}`);
    const later = newKey().segment;
    await keep({ ...newKey(), device }, `receipt=${later}`);
    // No consent is shown for this one.
    await keep({ ...newKey(), device }, 'sequence=5');
    const before = await lines<IndexLine>('/v1/segments');
    expect(before.filter(({ type }) => type === 'segment')).toHaveLength(5);
    expect(before.slice(-2)).toMatchObject([
      { type: 'device', device, segments: 5, sequence: { first: 3, last: 9, missing: [[5, 7]], unknown: 1 } },
      { type: 'end', devices: 1, segments: 5, sizeBytes: 500 },
    ]);
    await tell(`/v1/devices/${device}/withdrawals`, { request: newKey().segment, receipts: [receipt] });
    const after = await lines<IndexLine>('/v1/segments');
    expect(after.filter(({ type }) => type === 'segment')).toMatchObject([
      { receipt: later, sequence: null },
    ]);
  });

  it('is told what to drop and why, and gets none of it any more', async () => {
    const { get, keep, lines, tell } = await withReader();
    const [withdrawn, deleted] = [newKey(), newKey()];
    const receipt = newKey().segment;
    await keep(withdrawn, `receipt=${receipt}`);
    await keep(deleted, `receipt=${newKey().segment}`);
    const since = new Date().toISOString();
    await tell(`/v1/devices/${withdrawn.device}/withdrawals`, {
      request: newKey().segment,
      receipts: [receipt],
    });
    await tell(`/v1/devices/${deleted.device}/deletions`, {
      request: newKey().segment,
      segments: [deleted.segment],
    });
    for (const key of [withdrawn, deleted]) expect((await get(pathOf(key))).status).toBe(410);
    expect(await lines<ErasedLine>(`/v1/erased?since=${since}`)).toMatchObject([
      { type: 'erased', schema: 1, since },
      { type: 'segment', ...deleted, why: 'deleted' },
      { type: 'segment', ...withdrawn, why: 'withdrawn' },
      { type: 'end', segments: 2 },
    ]);
    expect((await get('/v1/erased?since=yesterday')).status).toBe(400);
  });
});

describe('the collector', () => {
  it('cannot open what it keeps: only the recipients’ keys do, and none is in its folder', async () => {
    const { keep, get, dataDir } = await withReader();
    const team = await newIdentity();
    const key = newKey();
    await keep(
      key,
      `receipt=${newKey().segment}`,
      await encryptFor([team.recipient], Buffer.from('what was done')),
    );
    const sealed = Buffer.from(await (await get(pathOf(key))).arrayBuffer());
    const files = (await readdir(dataDir, { recursive: true, withFileTypes: true })).filter((entry) =>
      entry.isFile(),
    );
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      const bytes = await readFile(join(file.parentPath, file.name));
      expect(bytes.includes('AGE-SECRET-KEY')).toBe(false);
      expect(bytes.includes('what was done')).toBe(false);
    }
    await expect(decryptWith([(await newIdentity()).identity], sealed)).rejects.toMatchObject({
      code: 'not-permitted',
    });
    expect(Buffer.from(await decryptWith([team.identity], sealed)).toString()).toBe('what was done');
    expect(sha256(sealed)).toHaveLength(64);
  });
});

describe('a list', () => {
  it('names the numbers between the first and the last that are not there', () => {
    expect(summarizeSequence([9, 3, null, 4, 4])).toEqual({
      first: 3,
      last: 9,
      missing: [[5, 8]],
      unknown: 1,
    });
    expect(summarizeSequence([])).toEqual({ first: null, last: null, missing: [], unknown: 0 });
  });

  it('begins at a day, at a time with its zone, or so long ago, and at nothing else', () => {
    const now = Date.parse('2026-11-26T10:00:00Z');
    expect(readSince('2026-11-26', now)).toBe(now - 36_000_000);
    expect(readSince('2026-11-26T11:00:00+01:00', now)).toBe(now);
    expect(readSince('1h', now)).toBe(now - 3_600_000);
    for (const text of ['2026-11-26T11:00', 'yesterday', '2026-13-01', ''])
      expect(() => readSince(text, now)).toThrow('is no time');
  });
});
