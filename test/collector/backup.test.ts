import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type BackupOptions, backup } from '../../src/collector/backup-command.ts';
import { booksInFolder } from '../../src/collector/books.ts';
import { parseErasureLog } from '../../src/collector/erasure-log.ts';
import { segmentPath } from '../../src/collector/object-store-files.ts';
import { type RestoreOptions, restore } from '../../src/collector/restore-command.ts';
import type { SegmentKey } from '../../src/collector/segment-key.ts';
import { exitCodeFor, messageOf, type TelemetryError } from '../../src/core/errors.ts';
import {
  COLLECTOR_PROGRAM,
  errorCode,
  eventually,
  keptFiles,
  listAndVerify,
  newKey,
  post,
  put,
  runProgram,
  spawnCollector,
  startCollector,
  temporaryFolder,
} from './support.ts';

async function erase(url: string, { device, segment }: SegmentKey): Promise<void> {
  const ask = { request: randomUUID(), segments: [segment] };
  expect((await post(`${url}/v1/devices/${device}/deletions`, ask)).status).toBe(200);
}

/** One of the commands, here: what it wrote, and the error that it ended with. */
async function run(command: 'backup' | 'restore', options: Record<string, string | undefined>) {
  let stdout = '';
  const write = (text: string): void => void (stdout += text);
  const world = { isJson: true, wallMs: Date.now, write };
  const asked = { ...world, ...options } as unknown as BackupOptions & RestoreOptions;
  const error: unknown = await (command === 'backup' ? backup : restore)(asked).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error !== null) expect((error as TelemetryError).hint).not.toBe('');
  return { stdout, code: error === null ? 0 : exitCodeFor(error), message: messageOf(error ?? '') };
}

/** A data folder with some segments, nobody serving it, and a backup of it. */
async function backedUp(count: number) {
  const folder = await temporaryFolder();
  const [dataDir, to, log] = ['data', 'backup', 'erased.log'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const collector = await startCollector(dataDir, { erasureLog: log });
  const keys = Array.from({ length: count }, newKey);
  for (const key of keys) await put(collector.url, key, randomBytes(500));
  expect((await run('backup', { dataDir, to })).code).toBe(0);
  return { folder, dataDir, to, log, keys, collector };
}

describe('backup and restore', () => {
  it('under load bring back all that was acknowledged before, and nothing that was erased before or after', async () => {
    const folder = await temporaryFolder();
    const [dataDir, to, log] = ['data', 'backup', 'erased.log'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const first = await spawnCollector(COLLECTOR_PROGRAM, dataDir, ['--erasure-log', log]);
    const acknowledged: SegmentKey[] = [];
    let isWriting = true;
    const device = async (): Promise<void> => {
      while (isWriting) {
        const key = newKey();
        expect((await put(first.url, key, randomBytes(20_000))).status).toBe(201);
        acknowledged.push(key);
      }
    };
    const load = Promise.all([device(), device(), device()]);
    await eventually(() => acknowledged.length > 10);
    const [erasedBefore, erasedAfter] = acknowledged.splice(0, 2) as [SegmentKey, SegmentKey];
    await erase(first.url, erasedBefore);
    const before = [...acknowledged];
    const made = await runProgram(COLLECTOR_PROGRAM, ['backup', '--data', dataDir, '--to', to, '--json']);
    expect([made.code, made.stderr]).toEqual([0, '']);
    isWriting = false;
    await load;
    expect(acknowledged.length).toBeGreaterThan(before.length);
    await erase(first.url, erasedAfter);
    expect(existsSync(segmentPath(to, erasedAfter))).toBe(true);
    first.child.kill('SIGKILL');
    await first.ended;
    const key = await readFile(join(dataDir, 'collector-key.json'), 'utf8');
    await rm(dataDir, { recursive: true });

    const args = ['restore', '--from', to, '--data', dataDir, '--erasures', log];
    const restored = await runProgram(COLLECTOR_PROGRAM, args);
    expect([restored.code, restored.stderr]).toEqual([0, '']);
    expect(restored.stdout).toContain('1 that were erased since did not come back');
    expect(await readFile(join(dataDir, 'collector-key.json'), 'utf8')).toBe(key);
    const listed = new Set((await listAndVerify(COLLECTOR_PROGRAM, dataDir)).map(({ segment }) => segment));
    for (const { segment } of before) expect(listed).toContain(segment);
    const files = (await keptFiles(dataDir)).join();
    const second = await spawnCollector(COLLECTOR_PROGRAM, dataDir);
    for (const gone of [erasedBefore, erasedAfter]) {
      expect(files).not.toContain(gone.segment);
      const late = await put(second.url, gone, randomBytes(10));
      expect([late.status, errorCode(late)]).toEqual([410, 'erased']);
    }
    expect((await put(second.url, newKey(), randomBytes(10))).status).toBe(201);
  });

  it('refuse what they must not overwrite, what is no backup, and to bring back what may have been erased', async () => {
    const { folder, dataDir, to, log } = await backedUp(1);
    const data = join(folder, 'new');
    const refused: [Parameters<typeof run>, number, RegExp][] = [
      [['backup', { dataDir, to }], 1, /not empty/],
      [['backup', { dataDir: folder, to: join(folder, 'other') }], 1, /not the data folder/],
      [['restore', { from: to, dataDir, erasures: 'none' }], 1, /not empty; nothing was changed/],
      [['restore', { from: dataDir, dataDir: data, erasures: 'none' }], 1, /not a whole backup/],
      [['restore', { from: to, dataDir: data, erasures: undefined }], 2, /since .* would come back/],
      [['restore', { from: to, dataDir: data, erasures: join(folder, 'gone') }], 2, /cannot read/],
    ];
    for (const [args, wanted, words] of refused) {
      const { code, message } = await run(...args);
      expect([args, code, message]).toEqual([args, wanted, expect.stringMatching(words)]);
    }
    await writeFile(log, '{"at":"20\n{"at"\n');
    const broken = await run('restore', { from: to, dataDir: data, erasures: log });
    expect([broken.code, broken.message]).toEqual([1, expect.stringContaining('cannot be read')]);
    expect(existsSync(data)).toBe(false);
  });

  it('keep a consent withdrawn that was withdrawn since', async () => {
    const { folder, to, log, keys, collector } = await backedUp(1);
    const [{ device }] = keys as [SegmentKey];
    const receipt = randomUUID();
    const ask = { request: randomUUID(), receipts: [receipt] };
    expect((await post(`${collector.url}/v1/devices/${device}/withdrawals`, ask)).status).toBe(200);
    const data = join(folder, 'new');
    expect((await run('restore', { from: to, dataDir: data, erasures: log })).code).toBe(0);
    const { use } = booksInFolder(data, 'read-only', Date.now);
    await use.start();
    expect(await use.isWithdrawn(device, receipt)).toBe(true);
    await use.stop();
  });

  it('say which segments are gone or damaged, and bring back the rest', async () => {
    const { folder, dataDir, to, keys } = await backedUp(3);
    const [cut, gone, whole] = keys as [SegmentKey, SegmentKey, SegmentKey];
    // A file of its own, as in a backup that was copied to another disk.
    await rename(segmentPath(to, cut), `${segmentPath(to, cut)}.old`);
    await writeFile(segmentPath(to, cut), 'shorter');
    await rm(segmentPath(to, gone));
    const data = join(folder, 'new');
    const { code, stdout, message } = await run('restore', { from: to, dataDir: data, erasures: 'none' });
    expect([code, message]).toEqual([3, expect.stringContaining('2 segments are gone or damaged')]);
    const said = JSON.parse(stdout) as { segments: number; missing: string[] };
    const names = [cut, gone].map(({ device, segment }) => `${device}/${segment}`);
    expect([said.segments, said.missing.toSorted()]).toEqual([1, names.toSorted()]);
    expect(await keptFiles(data)).toEqual([segmentPath('', whole)]);

    await rm(segmentPath(dataDir, gone));
    const partly = await run('backup', { dataDir, to: join(folder, 'b2') });
    expect([partly.code, partly.message]).toEqual([3, expect.stringContaining(gone.segment)]);

    await truncate(join(to, 'exemptions.sqlite'), 100);
    const third = await run('restore', { from: to, dataDir: join(folder, 'third'), erasures: 'none' });
    expect([third.code, third.message]).toEqual([1, expect.stringContaining('nothing was restored')]);
    expect(existsSync(join(folder, 'third'))).toBe(false);
  });
});

it('an erasure log loses no line to one that a crash cut', async () => {
  const { collector, log, keys } = await backedUp(2);
  const [first, second] = keys as [SegmentKey, SegmentKey];
  await erase(collector.url, first);
  await appendFile(log, '{"at":"2026-01-01T00:00:00.000Z","device":"0197');
  await erase(collector.url, second);
  const { taken, broken } = parseErasureLog(await readFile(log, 'utf8'));
  expect(taken).toMatchObject(
    [first, second].map(({ device, segment }) => ({ device, segments: [segment] })),
  );
  expect(broken).toBe(1);
});
