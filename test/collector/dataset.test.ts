import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { booksInFolder } from '../../src/collector/books.ts';
import { type ListForm, listAccess, listErased, listUsable } from '../../src/collector/lists-command.ts';
import { encryptFor, newIdentity } from '../../src/segment/age-file.ts';
import { encodeBlock } from '../../src/segment/block.ts';
import { encodeHeader } from '../../src/segment/header.ts';
import { sealSegment } from '../../src/segment/seal.ts';
import { columnsOf, concat, HEADER } from '../segment/samples.ts';
import {
  newKey,
  COLLECTOR_PROGRAM as PROGRAM,
  post,
  putSaying,
  runProgram,
  startCollector,
  temporaryFolder,
} from './support.ts';

const MIDNIGHT = Date.parse('2026-11-26T00:00:00Z');
const team = await newIdentity();
const stranger = await newIdentity();

type Key = ReturnType<typeof newKey>;

/** An encrypted segment with three events, one of them before midnight. */
async function sealedFor(key: Key, recipient = team.recipient): Promise<Uint8Array> {
  const header = { ...HEADER, device: key.device, segmentId: key.segment };
  const block = columnsOf([
    [1000, 0, 1, 0, 0, 0],
    [61_000, 0, 2, 0, 0, 0],
    [62_000, 0, 3, 0, 0, 0],
  ]);
  const bytes = concat(
    encodeHeader({ ...header, startWallMs: MIDNIGHT - 60_000, originMonoMs: 0 }),
    encodeBlock(block, 0, 3),
  );
  return encryptFor([recipient], sealSegment(bytes).bytes);
}

/** A collector with segments under one receipt each, an identity, and the command. */
async function desk() {
  const dataDir = await temporaryFolder();
  const out = join(await temporaryFolder(), 'events');
  const keys = await temporaryFolder();
  const collector = await startCollector(dataDir);
  const identity = join(keys, 'team.txt');
  writeFileSync(identity, `${team.identity}\n`, { mode: 0o600 });
  const keep = async (key: Key, body: Uint8Array, receipt = newKey().segment): Promise<string> => {
    expect((await putSaying(collector.url, key, `receipt=${receipt}`, body)).status).toBe(201);
    return receipt;
  };
  const tell = async (path: string, body: object): Promise<void> => {
    expect((await post(`${collector.url}${path}`, body)).status).toBe(200);
  };
  const dataset = async (...more: string[]) => {
    const words = ['dataset', '--identity', identity, '--out', out, '--json', ...more];
    const { code, stdout, stderr } = await runProgram(PROGRAM, words);
    return { code, stderr, summary: stdout === '' ? null : (JSON.parse(stdout) as Record<string, number>) };
  };
  return { ...collector, dataDir, out, keys, identity, keep, tell, dataset };
}

/** The tables below a folder. */
function tables(out: string): string[] {
  return readdirSync(out, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.startsWith('day=') && name.includes('/'))
    .sort();
}

function tablesOf(...keys: readonly Key[]): string[] {
  return keys
    .flatMap(({ segment }) => ['25', '26'].map((day) => `day=2026-11-${day}/${segment}.parquet`))
    .sort();
}

/** Within what a slow machine takes. */
async function waitFor(check: () => boolean): Promise<void> {
  const endMs = Date.now() + 50_000;
  while (!check()) {
    if (Date.now() > endMs) throw new Error('it did not happen within 50 s');
    await delay(2);
  }
}

async function rowsIn(path: string): Promise<Record<string, unknown>[]> {
  return parquetReadObjects({ file: new Uint8Array(readFileSync(path)).buffer });
}

describe('a dataset', () => {
  it('has every event that may be used by its day, once, and what is taken back goes with the next run', async () => {
    const { url, out, keys, keep, tell, dataset, dataDir } = await desk();
    const [stays, withdrawn, deleted] = [newKey(), newKey(), newKey()];
    await keep(stays, await sealedFor(stays));
    const receipt = await keep(withdrawn, await sealedFor(withdrawn));
    await keep(deleted, await sealedFor(deleted));
    const added = await runProgram(PROGRAM, ['readers', 'add', 'team', '--json', '--data', dataDir]);
    const tokenFile = join(keys, 'token.txt');
    writeFileSync(tokenFile, (JSON.parse(added.stdout) as { token: string }).token);
    const from = ['--from', url, '--token-file', tokenFile];

    const first = await dataset(...from);
    expect(first).toMatchObject({
      code: 0,
      stderr: '',
      summary: { usable: 3, added: 3, removed: 0, events: 9 },
    });
    expect(tables(out)).toEqual(tablesOf(stays, withdrawn, deleted));
    const read = await rowsIn(join(out, tablesOf(stays)[1] ?? ''));
    expect(read.map(({ x_px: x, segment }) => [x, segment])).toEqual([
      [2, stays.segment],
      [3, stays.segment],
    ]);
    expect((await rowsIn(join(out, tablesOf(stays)[0] ?? ''))).map(({ x_px: x }) => x as number)).toEqual([
      1,
    ]);
    expect(statSync(join(out, tablesOf(stays)[0] ?? '')).mode & 0o777).toBe(0o600);

    await tell(`/v1/devices/${withdrawn.device}/withdrawals`, {
      request: newKey().segment,
      receipts: [receipt],
    });
    await tell(`/v1/devices/${deleted.device}/deletions`, {
      request: newKey().segment,
      segments: [deleted.segment],
    });
    expect(await dataset(...from)).toMatchObject({ code: 0, summary: { kept: 1, added: 0, removed: 2 } });
    expect(tables(out)).toEqual(tablesOf(stays));
    expect(readdirSync(join(out, '_manifest'))).toEqual([`${stays.device}.jsonl`]);

    const log = await runProgram(PROGRAM, ['access', '--json', '--data', dataDir]);
    const { accesses } = JSON.parse(log.stdout) as { accesses: { reader: string; what: string }[] };
    expect(accesses.map(({ reader, what }) => `${reader} ${what}`)).toEqual([
      'team index',
      ...Array<string>(3).fill('team segment'),
      'team index',
    ]);
  });

  it('leaves out what it cannot open or believe, says so, and has the rest', async () => {
    const { out, keep, dataset, dataDir } = await desk();
    const [good, closed, foreign, damaged] = [newKey(), newKey(), newKey(), newKey()];
    await keep(good, await sealedFor(good));
    await keep(closed, await sealedFor(closed, stranger.recipient));
    await keep(foreign, await sealedFor(good));
    await keep(damaged, (await sealedFor(damaged)).subarray(0, -1));
    const { code, stderr, summary } = await dataset('--data', dataDir);
    expect(code).toBe(3);
    expect(summary).toMatchObject({ usable: 4, added: 1, skipped: 3 });
    for (const { segment } of [closed, foreign, damaged]) expect(stderr).toContain(segment);
    expect(stderr).toMatch(/3 segments could not be made into tables\nTry: /);
    expect(tables(out)).toEqual(tablesOf(good));
    const log = await runProgram(PROGRAM, ['access', '--data', dataDir]);
    expect(log.stdout).toMatch(/local:\S+ +index\n/);
  });

  it('goes on after kill -9 without a table twice, half or lost', async () => {
    const { out, keep, dataset, dataDir, identity } = await desk();
    const keys = Array.from({ length: 20 }, newKey);
    for (const key of keys) await keep(key, await sealedFor(key));
    const words = ['dataset', '--identity', identity, '--out', out, '--data', dataDir];
    const child = spawn(process.execPath, [PROGRAM, ...words], { stdio: 'ignore' });
    await waitFor(() => (existsSync(out) ? tables(out).length : 0) >= 5);
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    for (const name of tables(out)) expect((await rowsIn(join(out, name))).length).toBeGreaterThan(0);
    // And somebody damaged what was there.
    const [first = ''] = tables(out);
    writeFileSync(join(out, first), 'cut');
    const { code, summary } = await dataset('--data', dataDir);
    expect(code).toBe(0);
    expect(summary).toMatchObject({ usable: 20, removed: 0 });
    expect((summary?.['kept'] ?? 0) + (summary?.['added'] ?? 0)).toBe(20);
    expect(summary?.['kept']).toBeGreaterThan(0);
    expect(tables(out)).toEqual(tablesOf(...keys));
    expect((await rowsIn(join(out, first))).length).toBeGreaterThan(0);
    const again = await dataset('--data', dataDir);
    expect(again.summary).toMatchObject({ kept: 20, added: 0 });
  });

  it('is not begun over other files, without an identity, or with a token that nobody has', async () => {
    const { out, keys, keep, dataset, dataDir, url, identity } = await desk();
    const key = newKey();
    await keep(key, await sealedFor(key));
    const tokenFile = join(keys, 'token.txt');
    writeFileSync(tokenFile, 'tcr_nobody');
    expect(await dataset('--from', url, '--token-file', tokenFile)).toMatchObject({ code: 11 });
    expect((await dataset('--from', 'http://collector.example.com', '--token-file', tokenFile)).code).toBe(
      12,
    );
    expect(await dataset('--from', url)).toMatchObject({ code: 2 });
    chmodSync(identity, 0o644);
    const open = await dataset('--data', dataDir);
    expect([open.code, open.stderr]).toEqual([11, expect.stringContaining('Try: chmod 600')]);
    chmodSync(identity, 0o600);
    const other = `${out}-of-others`;
    mkdirSync(other);
    writeFileSync(join(other, 'mine.txt'), '');
    const refused = await dataset('--data', dataDir, '--out', other);
    expect([refused.code, readdirSync(other)]).toEqual([2, ['mine.txt']]);
  });
});

describe('the lists of the command line', () => {
  it('are one document, or lines, that say the same', async () => {
    const { keep, tell, dataDir } = await desk();
    const [key, gone] = [newKey(), newKey()];
    await keep(key, await sealedFor(key));
    await keep(gone, await sealedFor(gone));
    await tell(`/v1/devices/${gone.device}/deletions`, {
      request: newKey().segment,
      segments: [gone.segment],
    });
    const said = async (
      list: typeof listUsable,
      form: ListForm,
      sinceMs: number | null = null,
    ): Promise<string> => {
      const { use, readers } = booksInFolder(dataDir, 'read-only', Date.now);
      let text = '';
      await list(form, { sinceMs, nowMs: Date.now() }, { use, readers, write: (part) => (text += part) });
      return text;
    };
    expect(JSON.parse(await said(listUsable, 'json'))).toMatchObject({
      schema: 1,
      since: null,
      devices: [
        {
          device: key.device,
          segments: [{ segment: key.segment, sequence: null }],
          sequence: { unknown: 1 },
        },
      ],
      totals: { devices: 1, segments: 1 },
    });
    expect((await said(listUsable, 'jsonl')).trim().split('\n')).toHaveLength(4);
    expect(await said(listUsable, 'text')).toContain(`${key.device}         1`);
    expect(JSON.parse(await said(listErased, 'json'))).toMatchObject({
      schema: 1,
      segments: [{ ...gone, why: 'deleted' }],
    });
    expect(await said(listErased, 'text')).toContain('deleted');
    const later = Date.now() + 1000;
    expect(JSON.parse(await said(listErased, 'json', later))).toMatchObject({ segments: [] });
    expect(JSON.parse(await said(listUsable, 'json', later))).toMatchObject({ devices: [] });
    expect(JSON.parse(await said(listAccess, 'json'))).toMatchObject({ schema: 1, accesses: [] });
    expect(await said(listAccess, 'text')).toBe('nobody read anything\n');
    const program = await runProgram(PROGRAM, ['erased', '--since', '1h', '--json', '--data', dataDir]);
    expect([program.code, program.stderr]).toEqual([0, '']);
    expect(JSON.parse(program.stdout)).toMatchObject({ segments: [{ ...gone, why: 'deleted' }] });
  });
});
