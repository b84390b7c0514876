import { randomBytes, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { segmentPath } from '../../src/collector/object-store-files.ts';
import type { SegmentKey } from '../../src/collector/segment-key.ts';
import {
  digestField,
  errorCode,
  keptFiles,
  newKey,
  pathOf,
  post,
  put,
  startCollector,
  temporaryFolder,
} from './support.ts';
import { open, replyTo, rows } from './wire.ts';

function erase(url: string, device: string, body: unknown): ReturnType<typeof post> {
  return post(`${url}/v1/devices/${device}/deletions`, body);
}

describe('POST of a deletion', () => {
  it('erases file and row, leaves the neighbours, and takes the segment never again', async () => {
    const { url, dataDir, log } = await startCollector(await temporaryFolder());
    const [gone, stays] = [newKey(), newKey()];
    const neighbour: SegmentKey = { ...stays, device: gone.device };
    const body = randomBytes(1000);
    await put(url, gone, body);
    await put(url, neighbour, body);
    const never = randomUUID();
    const request = { request: randomUUID(), segments: [gone.segment, never], purge: randomUUID() };
    const answer = { request: request.request, erased: [gone.segment], unknown: [never] };
    expect(await erase(url, gone.device, request)).toEqual({ status: 200, json: answer });
    expect(await erase(url, gone.device, request)).toEqual({ status: 200, json: answer });
    expect(await keptFiles(dataDir)).toEqual([segmentPath('', neighbour)]);
    expect(rows(dataDir)).toMatchObject([neighbour]);
    for (const segment of [gone.segment, never]) {
      const late = await put(url, { device: gone.device, segment }, body);
      expect([late.status, errorCode(late)]).toEqual([410, 'erased']);
    }
    expect(await keptFiles(dataDir)).toHaveLength(1);
    expect(log.map(({ message }) => message)).toContain('segments erased');
  });

  it('keeps of the request who asked for how many, when, and nothing else', async () => {
    const { url, dataDir } = await startCollector(await temporaryFolder());
    const key = newKey();
    await put(url, key, randomBytes(10));
    const request = { request: randomUUID(), segments: [key.segment] };
    await erase(url, key.device, request);
    const db = new DatabaseSync(join(dataDir, 'catalog.sqlite'), { readOnly: true });
    const [row] = db.prepare('SELECT * FROM erasures').all();
    db.close();
    const { device } = key;
    expect(row).toEqual({
      device,
      request: request.request,
      segments: 1,
      erased: 1,
      asked_at: row?.['asked_at'],
    });
  });

  it('leaves nothing of a segment whose body is still coming', async () => {
    const { url, dataDir } = await startCollector(await temporaryFolder());
    const key = newKey();
    const body = Buffer.from('hello');
    const slow = open(url, pathOf(key), { 'content-digest': digestField(body), 'content-length': '5' });
    slow.write('hel');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await erase(url, key.device, { request: randomUUID(), segments: [key.segment] });
    slow.end('lo');
    expect((await replyTo(slow)).status).toBe(410);
    expect(await keptFiles(dataDir)).toEqual([]);
  });

  it('finishes at the next start what a crash left', async () => {
    const dataDir = await temporaryFolder();
    const first = await startCollector(dataDir);
    const key = newKey();
    await put(first.url, key, randomBytes(10));
    await erase(first.url, key.device, { request: randomUUID(), segments: [key.segment] });
    await first.stop();
    // As if the process had died between the tombstone and the object.
    await writeFile(segmentPath(dataDir, key), 'still there');
    await startCollector(dataDir);
    expect(await keptFiles(dataDir)).toEqual([]);
    expect(rows(dataDir)).toEqual([]);
  });

  it.each([
    ['no JSON', 'hello'],
    ['no request', { segments: [randomUUID()] }],
    ['no segments', { request: randomUUID(), segments: [] }],
    ['something that is no id', { request: randomUUID(), segments: ['../../etc/passwd'] }],
    ['too much', { request: randomUUID(), segments: [randomUUID()], more: 'x'.repeat(70_000) }],
  ])('refuses %s', async (_what, body) => {
    const { url } = await startCollector(await temporaryFolder());
    const { status, json } = await erase(url, newKey().device, body);
    expect(status).toBe(400);
    expect(json).toMatchObject({ error: { code: 'bad-request' } });
  });
});
