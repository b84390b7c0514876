import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import type { DatasetAnswer, DatasetJob } from '../../src/core/dataset-job.ts';
import { runDatasetWriter } from '../../src/dataset/main.ts';
import { encryptFor, newIdentity } from '../../src/segment/age-file.ts';
import { encodeBlock } from '../../src/segment/block.ts';
import { encodeHeader } from '../../src/segment/header.ts';
import { sealSegment } from '../../src/segment/seal.ts';
import { columnsOf, concat, HEADER, type Row } from '../segment/samples.ts';
import { tempFolder } from '../spool/temp-folder.ts';

const team = await newIdentity();
const stranger = await newIdentity();
const MIDNIGHT = Date.parse('2026-11-26T00:00:00Z');

/** A segment with these events, the first a minute before midnight. */
function segment(rows: readonly Row[], more: Partial<typeof HEADER> = {}): Uint8Array {
  const header = { ...HEADER, startWallMs: MIDNIGHT - 60_000, originMonoMs: 0, ...more };
  return sealSegment(concat(encodeHeader(header), encodeBlock(columnsOf(rows), 0, rows.length))).bytes;
}

const move = (t: number, x: number): Row => [t, 0, x, 0, 0, 0];

/** What the program answers to files with these bytes. */
async function answers(
  files: readonly Uint8Array[],
  change: Partial<DatasetJob> = {},
): Promise<{ code: number; said: DatasetAnswer[]; into: string; err: string }> {
  const folder = tempFolder();
  const into = join(folder, 'into');
  mkdirSync(into);
  const identity = join(folder, 'key.txt');
  writeFileSync(identity, `${team.identity}\n`, { mode: 0o600 });
  const jobs = files.map((bytes, n): DatasetJob => {
    const path = join(folder, `${n}.tlm`);
    writeFileSync(path, bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { path, device: HEADER.device, segment: HEADER.segmentId, sha256, into, ...change };
  });
  const out: string[] = [];
  let err = '';
  const code = await runDatasetWriter(
    [identity],
    Readable.from(jobs.map((job) => `${JSON.stringify(job)}\n`)),
    {
      stdout: { write: (text) => void out.push(text) },
      stderr: { write: (text) => void (err += text) },
    },
  );
  expect(out.shift()).toBe('ready\n');
  return { code, said: out.map((line) => JSON.parse(line) as DatasetAnswer), into, err };
}

describe('the program that makes segments into tables', () => {
  it('opens an encrypted segment and makes a table of each UTC day, with the columns of an export', async () => {
    const bytes = await encryptFor(
      [team.recipient],
      segment([move(1000, 1), move(59_999, 2), move(60_000, 3)]),
    );
    const { code, said, into } = await answers([bytes]);
    expect(code).toBe(0);
    const tables = said[0]?.kind === 'written' ? said[0].tables : [];
    expect(tables).toMatchObject([
      { day: '2026-11-25', name: `2026-11-25.${HEADER.segmentId}.parquet`, events: 2 },
      { day: '2026-11-26', name: `2026-11-26.${HEADER.segmentId}.parquet`, events: 1 },
    ]);
    for (const { name, sizeBytes, sha256 } of tables) {
      const written = readFileSync(join(into, name));
      expect([written.length, createHash('sha256').update(written).digest('hex')]).toEqual([
        sizeBytes,
        sha256,
      ]);
      expect(statSync(join(into, name)).mode & 0o777).toBe(0o600);
    }
    const [first = { name: '' }, second = { name: '' }] = tables;
    const read = (name: string) =>
      parquetReadObjects({ file: new Uint8Array(readFileSync(join(into, name))).buffer });
    expect((await read(first.name)).map(({ x_px: x }) => x as number)).toEqual([1, 2]);
    expect(await read(second.name)).toMatchObject([
      {
        t_ms: BigInt(MIDNIGHT),
        kind: 'move',
        device: HEADER.device,
        segment: HEADER.segmentId,
        synthetic: null,
      },
    ]);
  });

  it('says what it cannot open or believe, writes nothing of it, and goes on', async () => {
    const good = segment([move(1, 1)]);
    const closed = await encryptFor([stranger.recipient], good);
    const { code, said, into } = await answers([good.subarray(0, -1), closed, segment([])]);
    expect(code).toBe(0);
    expect(said.map(({ kind }) => kind)).toEqual(['bad', 'closed', 'written']);
    expect(said[2]).toEqual({ kind: 'written', tables: [] });
    expect(readdirSync(into)).toEqual([]);
  });

  it.each([
    ['another device', { device: 'c0ffee00-0000-4000-8000-000000000002' }],
    ['another segment', { segment: '0192a000-0000-7000-8000-0000000000ab' }],
    ['another digest', { sha256: '00'.repeat(32) }],
  ])('takes nothing that says %s than it is stored as', async (_what, change) => {
    const { said, into } = await answers([segment([move(1, 1)])], change);
    expect(said).toMatchObject([{ kind: 'bad' }]);
    expect(readdirSync(into)).toEqual([]);
  });

  it('takes no segment whose times are no times', async () => {
    const late = segment([move(1, 1)], { startWallMs: Date.UTC(9999, 11, 31) });
    const early = segment([move(1, 1)], { startWallMs: -10 });
    expect((await answers([late, early])).said.map(({ kind }) => kind)).toEqual(['bad', 'bad']);
  });

  it('ends with one line and a hint when there is no identity', async () => {
    let err = '';
    const code = await runDatasetWriter(['/no/such/key.txt'], Readable.from([]), {
      stdout: { write: () => undefined },
      stderr: { write: (text) => void (err += text) },
    });
    expect(code).toBe(1);
    expect(err).toBe('/no/such/key.txt: there is no such file\ncheck the path given with --identity\n');
  });
});
