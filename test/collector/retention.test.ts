import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { booksInFolder } from '../../src/collector/books.ts';
import { KeyedQueue } from '../../src/collector/keyed-queue.ts';
import { FileObjectStore, segmentPath } from '../../src/collector/object-store-files.ts';
import { Sweeper } from '../../src/collector/sweeper.ts';
import { keepingLog } from '../control/reports.ts';
import {
  errorCode,
  keptFiles,
  newKey,
  post,
  put,
  putSaying,
  startCollector,
  temporaryFolder,
} from './support.ts';
import { rows } from './wire.ts';

const DAY = 86_400_000;

/** How long the reply says that it is kept. */
const keptMs = ({ body }: { body: string }): number =>
  Date.parse((JSON.parse(body) as { expires: string }).expires) - Date.now();

/** A sweeper over the files of a data folder, at a time of the test's. */
async function sweeperAt(dataDir: string, nowMs: number) {
  const { retention, catalog } = booksInFolder(dataDir, 'read-write', Date.now);
  const store = new FileObjectStore(dataDir);
  onTestFinished(async () => {
    await retention.stop();
    await catalog.stop();
  });
  await retention.start();
  await catalog.start();
  const waits: number[] = [];
  const stop = new AbortController();
  const sweeper = new Sweeper({
    ...{ retention, store, queue: new KeyedQueue(), log: keepingLog().log },
    wallMs: () => nowMs,
    delay: (ms) => {
      waits.push(ms);
      stop.abort();
      return Promise.resolve();
    },
  });
  return { sweeper, waits, stop, store, catalog };
}

describe('how long a segment is kept', () => {
  it('is what its person was told, and never longer than the collector keeps anything', async () => {
    const { url } = await startCollector(await temporaryFolder(), { retentionMs: 30 * DAY });
    const key = newKey();
    const body = randomBytes(100);
    const first = await putSaying(url, key, 'retention=864000', body);
    expect(Math.round(keptMs(first) / DAY)).toBe(10);
    // The promise of another time does not lengthen it; a shorter one shortens it.
    expect(Math.round(keptMs(await putSaying(url, key, 'retention=1728000', body)) / DAY)).toBe(10);
    expect(Math.round(keptMs(await putSaying(url, key, 'retention=432000', body)) / DAY)).toBe(5);
    for (const query of ['retention=31536000', '', 'retention=soon'])
      expect(Math.round(keptMs(await putSaying(url, newKey(), query)) / DAY)).toBe(30);
  });

  it('ends with file and row gone, and the segment is never taken again', async () => {
    const dataDir = await temporaryFolder();
    const first = await startCollector(dataDir, { retentionMs: DAY });
    const [over, stays] = [newKey(), newKey()];
    const body = randomBytes(100);
    await putSaying(first.url, over, 'retention=3600', body);
    await putSaying(first.url, stays, '', body);
    await first.stop();
    const { sweeper, waits, stop } = await sweeperAt(dataDir, Date.now() + DAY / 2);
    await sweeper.run(stop.signal);
    expect(await keptFiles(dataDir)).toEqual([segmentPath('', stays)]);
    expect(rows(dataDir)).toMatchObject([stays]);
    // One timer, to the next end or an hour: half a day is left.
    expect(waits).toEqual([3_600_000]);
    const { url } = await startCollector(dataDir);
    const late = await put(url, over, body);
    expect([late.status, errorCode(late)]).toEqual([410, 'erased']);
  });

  it('waits a minute at least and until the next end, and does nothing before it', async () => {
    const dataDir = await temporaryFolder();
    const first = await startCollector(dataDir, { retentionMs: DAY });
    await putSaying(first.url, newKey(), '');
    await first.stop();
    const near = await sweeperAt(dataDir, Date.now() + DAY - 600_000);
    await near.sweeper.run(near.stop.signal);
    expect(Math.round((near.waits[0] ?? 0) / 60_000)).toBe(10);
    const nearer = await sweeperAt(dataDir, Date.now() + DAY - 20_000);
    await nearer.sweeper.run(nearer.stop.signal);
    expect(nearer.waits).toEqual([60_000]);
    expect(rows(dataDir)).toHaveLength(1);
  });

  it('ends at the next start when the power went between row and file', async () => {
    const dataDir = await temporaryFolder();
    const first = await startCollector(dataDir, { retentionMs: DAY });
    const key = newKey();
    await putSaying(first.url, key, '');
    await first.stop();
    const { sweeper } = await sweeperAt(dataDir, Date.now() + 2 * DAY);
    await sweeper.sweep(new AbortController().signal);
    await writeFile(segmentPath(dataDir, key), 'still there');
    await startCollector(dataDir);
    expect(await keptFiles(dataDir)).toEqual([]);
    expect(rows(dataDir)).toEqual([]);
  });

  it('is shortened for what is there when the collector starts with less, and not lengthened with more', async () => {
    const dataDir = await temporaryFolder();
    const key = newKey();
    const body = randomBytes(100);
    for (const [days, kept] of [
      [30, 30],
      [7, 7],
      [365, 7],
    ] as const) {
      const collector = await startCollector(dataDir, { retentionMs: days * DAY });
      expect(Math.round(keptMs(await putSaying(collector.url, key, '', body)) / DAY)).toBe(kept);
      await collector.stop();
    }
  });
});

describe('consent that is taken back', () => {
  const withdraw = (url: string, device: string, body: unknown): ReturnType<typeof post> =>
    post(`${url}/v1/devices/${device}/withdrawals`, body);

  it('is confirmed, the same each time, and nothing more is taken under its receipt', async () => {
    const { url } = await startCollector(await temporaryFolder());
    const key = newKey();
    const receipt = newKey().segment;
    const request = newKey().segment;
    const answer = { status: 200, json: { request, withdrawn: [receipt] } };
    expect(await withdraw(url, key.device, { request, receipts: [receipt] })).toEqual(answer);
    expect(await withdraw(url, key.device, { request, receipts: [receipt] })).toEqual(answer);
    const late = await putSaying(url, key, `receipt=${receipt}`);
    expect([late.status, errorCode(late)]).toEqual([410, 'withdrawn']);
    expect((await putSaying(url, key, `receipt=${newKey().segment}`)).status).toBe(201);
  });

  it.each([
    ['no receipts', { request: newKey().segment, receipts: [] }],
    ['what is no receipt', { request: newKey().segment, receipts: ['all'] }],
    ['no request', { receipts: [newKey().segment] }],
  ])('is refused with %s', async (_what, body) => {
    const { url } = await startCollector(await temporaryFolder());
    expect((await withdraw(url, newKey().device, body)).status).toBe(400);
  });
});
