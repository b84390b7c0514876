import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { type EventRecord, KIND, MADE_UP } from '../../src/core/events.ts';
import { EXPORT_COLUMNS } from '../../src/export/export-columns.ts';
import { encryptFor, newIdentity } from '../../src/segment/age-file.ts';
import { encodeBlock } from '../../src/segment/block.ts';
import { encodeHeader } from '../../src/segment/header.ts';
import { sealSegment } from '../../src/segment/seal.ts';
import { ensureStages } from '../../src/spool/folders.ts';
import { temporaryFolder } from '../control/sockets.ts';
import { columnsOf, concat, deskRows, HEADER, type Row } from '../segment/samples.ts';
import { type Given, type Outcome, run } from './run.ts';
import { journal, SEGMENT_ID, sealed } from './segments.ts';

const START = Date.parse('2026-11-24T13:00:00.000Z');
const owner = await newIdentity();
const stranger = await newIdentity();

/** A state folder, which is also the current one, with these files in it. */
function folderWith(files: Readonly<Record<string, Uint8Array | string>>): string {
  const folder = temporaryFolder();
  ensureStages(folder);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

function idOf(number: number): string {
  return SEGMENT_ID.replace(/1$/, String(number));
}

/** A sealed segment of its own id with these events, `hours` after the first. */
function segment(number: number, hours: number, rows: readonly Row[] = [[6000, 0, 7, 8, 0, 0]]): Uint8Array {
  const header = {
    ...HEADER,
    segmentId: idOf(number),
    startWallMs: START + hours * 3_600_000,
    sequence: number,
  };
  return sealSegment(concat(encodeHeader(header), encodeBlock(columnsOf(rows), 0, rows.length))).bytes;
}

async function exported(
  stateDir: string,
  words: readonly string[],
  given: Partial<Given> = {},
): Promise<Outcome & { lines: string[] }> {
  const outcome = await run(['export', ...words], { stateDir, ...given });
  return { ...outcome, lines: outcome.out.split('\n').slice(0, -1) };
}

function times(lines: readonly string[]): number[] {
  return lines.map((line) => (JSON.parse(line) as EventRecord).t);
}

async function rowsOf(path: string): Promise<Record<string, unknown>[]> {
  return parquetReadObjects({ file: arrayBufferOf(path) });
}

/** A value as CSV has it. */
function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
    ? String(value)
    : '';
}

function arrayBufferOf(path: string): ArrayBuffer {
  return new Uint8Array(readFileSync(path)).buffer;
}

describe('telemetryctl export', () => {
  it('writes JSON lines exactly as inspect --json prints them', async () => {
    const stateDir = folderWith({ 'a.tlm': sealed() });
    const { code, out, err } = await exported(stateDir, ['a.tlm', '--format', 'jsonl']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe((await run(['inspect', '--json', 'a.tlm'], { stateDir })).out);
    expect(out.split('\n')).toHaveLength(7);
  });

  it('writes CSV with units in its names, and nothing where an event has no such value', async () => {
    const { lines } = await exported(folderWith({ 'a.tlm': sealed() }), ['a.tlm', '-f', 'csv']);
    const ids = `${SEGMENT_ID},6f1c0a53-0c7e-4c3e-9a55-5d0f6f3f2b10,`;
    expect(lines).toEqual([
      't_ms,t_mono_ms,kind,x_px,y_px,button,dx_notches,dy_notches,key,class,mods,repeat,segment,device,synthetic',
      `${START + 1000},2000,move,100,200,,,,,,,,${ids}`,
      `${START + 2000},3000,down,100,200,left,,,,,,,${ids}`,
      `${START + 2050},3050,up,100,200,left,,,,,,,${ids}`,
      `${START + 3000},4000,wheel,100,200,,0,1,,,,,${ids}`,
      `${START + 4000},5000,keydown,100,200,,,,KeyC,text,ctrl,,${ids}`,
      `${START + 61_000},62000,keydown,100,200,,,,,text,,,${ids}`,
    ]);
  });

  it('quotes what would break a line of CSV', async () => {
    const header = encodeHeader({ ...HEADER, device: 'a "b",\nc' });
    const stateDir = folderWith({
      'a.tlm': concat(header, encodeBlock(columnsOf([[1, 0, 2, 3, 0, 0]]), 0, 1)),
    });
    const { out } = await exported(stateDir, ['a.tlm', '-f', 'csv']);
    expect(out.endsWith(',"a ""b"",\nc",\n')).toBe(true);
  });

  it('marks in every format the release that nobody saw', async () => {
    const rows: Row[] = [
      [6000, KIND.down, 7, 8, 1, 0],
      [6100, KIND.up, 7, 8, 1, MADE_UP],
    ];
    const stateDir = folderWith({ 'a.tlm': segment(1, 0, rows) });
    const csv = await exported(stateDir, ['a.tlm', '-f', 'csv']);
    expect(csv.lines.slice(1).map((line) => line.split(',').at(-1))).toEqual(['', 'true']);
    const jsonl = await exported(stateDir, ['a.tlm', '-f', 'jsonl']);
    expect(jsonl.lines.map((line) => (JSON.parse(line) as EventRecord).synthetic)).toEqual([undefined, true]);
    await exported(stateDir, ['a.tlm', '-f', 'parquet', '-o', 'a.parquet']);
    const read = await rowsOf(join(stateDir, 'a.parquet'));
    expect(read.map(({ synthetic }) => synthetic)).toEqual([null, true]);
  });

  it('writes Parquet that reads back as the same events, with types, units and what the segment says', async () => {
    const stateDir = folderWith({ 'a.tlm': sealed() });
    const { code, out } = await exported(stateDir, ['a.tlm', '-f', 'parquet', '-o', 'a.parquet']);
    expect({ code, out }).toEqual({ code: 0, out: '' });
    const path = join(stateDir, 'a.parquet');
    const csv = (await exported(stateDir, ['a.tlm', '-f', 'csv'])).lines.slice(1);
    const rows = await rowsOf(path);
    expect(rows.map((row) => EXPORT_COLUMNS.map(({ name }) => text(row[name])).join(','))).toEqual(csv);
    expect(rows[0]).toMatchObject({ t_ms: BigInt(START + 1000), kind: 'move', x_px: 100, button: null });

    const metadata = parquetMetadata(arrayBufferOf(path));
    expect(metadata.schema.slice(1).map(({ name, type }) => [name, type])).toEqual(
      EXPORT_COLUMNS.map(({ name, type }) => [name, PHYSICAL[type]]),
    );
    const values = new Map(metadata.key_value_metadata?.map(({ key, value }) => [key, value]));
    const schema = JSON.parse(values.get('telemetryd.schema') ?? '') as { schema: 1; columns: object[] };
    expect(schema.schema).toBe(1);
    expect(schema.columns).toContainEqual({
      name: 't_ms',
      unit: 'ms',
      text: 'time since the Unix epoch, UTC',
    });
    expect(schema.columns).toContainEqual(
      EXPORT_COLUMNS.map(({ name, text: words }) => ({ name, text: words }))[2],
    );
    expect(JSON.parse(values.get('telemetryd.segments') ?? '')).toMatchObject([
      {
        file: 'a.tlm',
        segmentId: SEGMENT_ID,
        sequence: 12,
        events: 6,
        isSealed: true,
        screens: [{ x: 0, y: 0, width: 1920, height: 1080, scale: 1 }],
        gaps: [{ kind: 'withheld', startMonoMs: 6000, endMonoMs: 36_000 }],
        loss: { thinned: 7, redacted: 1, dropped: 0 },
      },
    ]);
  });

  it('writes Parquet in row groups of a bounded size, across segments, and loses nothing at their edges', async () => {
    const desk = deskRows(15_000);
    const files = Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`${n}.tlm`, segment(n, n, desk)]));
    const stateDir = folderWith(files);
    await exported(stateDir, ['.', '-f', 'parquet', '-o', 'all.parquet']);
    const path = join(stateDir, 'all.parquet');
    const sizes = parquetMetadata(arrayBufferOf(path)).row_groups.map(({ num_rows }) => Number(num_rows));
    expect(sizes).toEqual([32_768, 32_768, 9464]);
    const rows = await rowsOf(path);
    const xs = desk.map(([, , x]) => x);
    expect(rows.map(({ x_px }) => x_px)).toEqual([xs, xs, xs, xs, xs].flat());
    expect(rows.map(({ segment: id }) => id).filter((id, at, all) => id !== all[at - 1])).toEqual(
      [1, 2, 3, 4, 5].map(idOf),
    );
  }, 30_000);

  it('writes a whole Parquet file for a segment without events or without any of a column', async () => {
    const stateDir = folderWith({ 'none.tlm': segment(1, 1, []), 'moves.tlm': segment(2, 2) });
    await exported(stateDir, ['none.tlm', '-f', 'parquet', '-o', 'none.parquet']);
    expect(await rowsOf(join(stateDir, 'none.parquet'))).toEqual([]);
    await exported(stateDir, ['moves.tlm', '-f', 'parquet', '-o', 'moves.parquet']);
    expect(await rowsOf(join(stateDir, 'moves.parquet'))).toMatchObject([
      { kind: 'move', key: null, repeat: null },
    ]);
  });
});

const PHYSICAL = { int64: 'INT64', int32: 'INT32', string: 'BYTE_ARRAY', boolean: 'BOOLEAN' } as const;

describe('the files that telemetryctl export takes', () => {
  it('are put in order of time, whatever their names', async () => {
    const stateDir = folderWith({ 'a.tlm': segment(1, 3), 'b.tlm': segment(2, 1), 'c.tlm': segment(3, 2) });
    const { lines } = await exported(stateDir, ['a.tlm', 'b.tlm', 'c.tlm', '-f', 'jsonl']);
    expect(times(lines)).toEqual([1, 2, 3].map((hours) => START + hours * 3_600_000 + 1000));
  });

  it('are put in order by their names when all are named by ids', async () => {
    const files = Object.fromEntries([3, 1, 2].map((n) => [`${n}/${idOf(n)}.tlm`, segment(n, 9 - n)]));
    const { lines } = await exported(folderWith(files), ['3', '2', '1', '-f', 'jsonl']);
    expect(times(lines)).toEqual([8, 7, 6].map((hours) => START + hours * 3_600_000 + 1000));
  });

  it('are those of folders, all the way down, and of patterns, each once', async () => {
    const stateDir = folderWith({
      'day/1/a.tlm': segment(1, 1),
      'day/2/b.tlm': segment(2, 2),
      'day/2/c.tlm.age': await encryptFor([owner.recipient], segment(3, 3)),
      'day/2/notes.txt': 'not a segment',
      'key.txt': owner.identity,
    });
    chmodSync(join(stateDir, 'key.txt'), 0o600);
    symlinkSync('..', join(stateDir, 'day/2/up'));
    const words = ['-f', 'jsonl', '-i', 'key.txt'];
    const all = await exported(stateDir, ['day', 'day/1/a.tlm', './day/2', ...words]);
    expect({ code: all.code, err: all.err, count: all.lines.length }).toEqual({ code: 0, err: '', count: 3 });
    expect((await exported(stateDir, ['day/*/[ab].tlm', ...words])).lines).toHaveLength(2);
    expect((await exported(stateDir, ['day/*', ...words])).lines).toHaveLength(3);
    expect((await exported(stateDir, ['day/**/*.age', ...words])).lines).toHaveLength(1);
  });

  it('are all that is on this device when none is named', async () => {
    const stateDir = folderWith({
      [`sent/${idOf(1)}.tlm`]: segment(1, 1),
      [`journal/${idOf(2)}.tlm`]: journal(idOf(2)),
    });
    expect((await exported(stateDir, ['-f', 'jsonl'])).lines).toHaveLength(7);
    const nothing = await exported(folderWith({}), ['-f', 'jsonl']);
    expect(nothing).toMatchObject({ code: 1, out: '' });
    expect(nothing.err).toContain('Try: ');
  });

  it('are exported but for those that are damaged, which are named', async () => {
    const damaged = Buffer.from(segment(2, 2));
    damaged[100] = (damaged[100] ?? 0) ^ 1;
    const stateDir = folderWith({ 'a.tlm': segment(1, 1), 'b.tlm': damaged, 'c.tlm': segment(3, 3) });
    for (const format of ['jsonl', 'csv']) {
      const { code, lines, err } = await exported(stateDir, [
        'a.tlm',
        'b.tlm',
        'c.tlm',
        'gone.tlm',
        '-f',
        format,
      ]);
      expect({ code, count: lines.length }).toEqual({ code: 3, count: format === 'csv' ? 3 : 2 });
      expect(err).toContain('telemetryctl: b.tlm: Not a sound segment file');
      expect(err).toContain('telemetryctl: gone.tlm: there is no such file');
    }
    const parquet = await exported(stateDir, ['.', '-f', 'parquet', '-o', 'all.parquet']);
    expect(parquet.code).toBe(3);
    expect(await rowsOf(join(stateDir, 'all.parquet'))).toHaveLength(2);
  });

  it('make no output when none can be read', async () => {
    const stateDir = folderWith({ 'a.tlm': 'nothing' });
    const { code, err } = await exported(stateDir, ['a.tlm', 'none*.tlm', '-f', 'csv', '-o', 'out.csv']);
    expect(code).toBe(1);
    expect(err).toContain('none*.tlm: there is no such file');
    expect(readdirSync(stateDir).filter((name) => name.startsWith('out.'))).toEqual([]);
  });

  it('are refused when they are no regular files or far too large, without being read', async () => {
    const stateDir = folderWith({ 'big.tlm': 'x' });
    truncateSync(join(stateDir, 'big.tlm'), 5_000_000_000);
    const { code, err } = await exported(stateDir, ['/dev/zero', 'big.tlm', '-f', 'jsonl']);
    expect(code).toBe(1);
    expect(err).toContain('/dev/zero: it is not a regular file');
    expect(err).toContain('big.tlm: it is too large for a segment');
  });

  it('count once when a segment is in two of them', async () => {
    const stateDir = folderWith({ 'a.tlm': segment(1, 1), 'b.tlm': segment(1, 1) });
    const { code, lines, err } = await exported(stateDir, ['a.tlm', 'b.tlm', '-f', 'jsonl']);
    expect({ code, count: lines.length }).toEqual({ code: 0, count: 1 });
    expect(err).toBe('telemetryctl: b.tlm: the same segment as in another file, left out\n');
  });
});

describe('the output of telemetryctl export', () => {
  it('is a file that only its owner can read, there only when it is whole', async () => {
    const stateDir = folderWith({ 'a.tlm': sealed() });
    const { code, out } = await exported(stateDir, ['a.tlm', '-f', 'csv', '--output', 'out.csv']);
    expect({ code, out }).toEqual({ code: 0, out: '' });
    const path = join(stateDir, 'out.csv');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(8);
    expect(readdirSync(stateDir).filter((name) => name.includes('part'))).toEqual([]);
  });

  it('never replaces a file, least of all one that it reads', async () => {
    const stateDir = folderWith({ 'a.tlm': sealed() });
    const { code, err } = await exported(stateDir, ['a.tlm', '-f', 'jsonl', '--output', 'a.tlm']);
    expect(code).toBe(2);
    expect(err).toMatch(/exists, and no file is replaced\.\nTry: another --output/);
    expect(readFileSync(join(stateDir, 'a.tlm'))).toEqual(Buffer.from(sealed()));
  });

  it('has to be named for Parquet, and to be in a folder that is there', async () => {
    const stateDir = folderWith({ 'a.tlm': sealed() });
    const unnamed = await exported(stateDir, ['a.tlm', '-f', 'parquet']);
    expect(unnamed).toMatchObject({ code: 2, out: '' });
    expect(unnamed.err).toContain('--output');
    const nowhere = await exported(stateDir, ['a.tlm', '-f', 'csv', '-o', 'no/such/out.csv']);
    expect(nowhere.code).toBe(1);
    expect(nowhere.err).toContain('ENOENT');
  });

  it('is none when it is interrupted', async () => {
    const stateDir = folderWith({ 'a.tlm': segment(1, 1), 'b.tlm': segment(2, 2) });
    const words = ['a.tlm', 'b.tlm', '-f', 'csv', '-o', 'out.csv'];
    const { code } = await exported(stateDir, words, { interrupted: AbortSignal.abort() });
    expect(code).toBe(130);
    expect(readdirSync(stateDir).filter((name) => name.startsWith('out.'))).toEqual([]);
  });

  it('ends quietly when its reader has gone', async () => {
    const stateDir = folderWith({ 'a.tlm': segment(1, 1, deskRows(5000)) });
    const { code, err } = await exported(stateDir, ['a.tlm', '-f', 'jsonl'], { readsOnly: 1 });
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  it('comes with progress on a terminal and in silence elsewhere', async () => {
    const stateDir = folderWith({ 'a.tlm': segment(1, 1), 'b.tlm': segment(2, 2) });
    const words = ['a.tlm', 'b.tlm', '-f', 'csv'];
    const shown = await exported(stateDir, [...words, '-o', 'out.csv'], {
      hasProgress: true,
      isTerminal: true,
    });
    expect(shown.err).toMatch(
      /50 % {2}1 of 2 files, 1 event from 2\d\d B.*\r\u001b\[Kout\.csv: 2 events from [45]\d\d B\n$/s,
    );
    // Lines and progress on one screen would spoil each other.
    expect((await exported(stateDir, words, { hasProgress: true, isTerminal: true })).err).toBe('');
    expect((await exported(stateDir, words, { hasProgress: true })).err).toMatch(/50 %.*\r\u001b\[K$/s);
    expect((await exported(stateDir, [...words, '-o', 'quiet.csv'])).err).toBe('');
  });
});

describe('identities', () => {
  /** An encrypted file and the configuration folder of whoever runs the command. */
  async function encrypted(
    identity?: string,
    mode = 0o600,
  ): Promise<{ stateDir: string; env: { XDG_CONFIG_HOME: string } }> {
    const stateDir = folderWith({ 'a.tlm.age': await encryptFor([owner.recipient], sealed()) });
    const config = join(stateDir, 'config');
    if (identity !== undefined) {
      mkdirSync(join(config, 'telemetryd'), { recursive: true });
      writeFileSync(join(config, 'telemetryd/identity.txt'), `# mine\n${identity}\n`, { mode });
    }
    return { stateDir, env: { XDG_CONFIG_HOME: config } };
  }

  it('are the person’s own when none is named, for export and inspect', async () => {
    const { stateDir, env } = await encrypted(owner.identity);
    expect((await exported(stateDir, ['a.tlm.age', '-f', 'jsonl'], { env })).lines).toHaveLength(6);
    const { code, out } = await run(['inspect', 'a.tlm.age'], { stateDir, env });
    expect(code).toBe(0);
    expect(out).toMatch(/bytes an event,\s+columns-brotli, encrypted/);
  });

  it('may be named, more than one', async () => {
    const { stateDir, env } = await encrypted(stranger.identity);
    for (const [name, { identity }] of Object.entries({ other: stranger, mine: owner })) {
      writeFileSync(join(stateDir, name), `${identity}\n`, { mode: 0o600 });
    }
    const words = ['a.tlm.age', '-i', 'other', '--identity', 'mine'];
    expect((await exported(stateDir, ['-f', 'jsonl', ...words], { env })).lines).toHaveLength(6);
    expect((await run(['inspect', '--json', ...words], { stateDir, env })).out.split('\n')).toHaveLength(7);
  });

  it('that do not fit, or are not there, exit 11 and say what to do', async () => {
    for (const identity of [undefined, stranger.identity]) {
      const { stateDir, env } = await encrypted(identity);
      for (const words of [['export', '-f', 'jsonl'], ['inspect']]) {
        const { code, err } = await run([...words, 'a.tlm.age'], { stateDir, env });
        expect(code).toBe(11);
        expect(err).toMatch(/^telemetryctl: a\.tlm\.age: It is encrypted.*\nTry: --identity FILE.*\n$/);
      }
    }
  });

  it('are not needed for files that are not encrypted', async () => {
    const { stateDir, env } = await encrypted('no identity', 0o644);
    writeFileSync(join(stateDir, 'b.tlm'), sealed());
    expect((await exported(stateDir, ['b.tlm', '-f', 'jsonl'], { env })).code).toBe(0);
  });

  it('are refused when others can read them, before anything is read or written', async () => {
    const { stateDir, env } = await encrypted();
    writeFileSync(join(stateDir, 'open.txt'), `${owner.identity}\n`);
    chmodSync(join(stateDir, 'open.txt'), 0o640);
    const words = ['export', '-f', 'csv', '-o', 'out.csv', 'a.tlm.age', '-i', 'open.txt'];
    const { code, err } = await run(words, { stateDir, env });
    expect(code).toBe(11);
    expect(err).toContain('Try: chmod 600');
    expect(err).not.toContain(owner.identity.slice(20, 40));
    expect(existsSync(join(stateDir, 'out.csv'))).toBe(false);
    rmSync(join(stateDir, 'open.txt'));
    const gone = await run(words, { stateDir, env });
    expect(gone.code).toBe(1);
    expect(gone.err).toContain('open.txt: there is no such file');
  });

  it('do not get in the way of plain files beside encrypted ones', async () => {
    const { stateDir, env } = await encrypted();
    writeFileSync(join(stateDir, 'b.tlm'), segment(2, 2));
    const { code, lines } = await exported(stateDir, ['a.tlm.age', 'b.tlm', '-f', 'jsonl'], { env });
    expect({ code, count: lines.length }).toEqual({ code: 3, count: 1 });
  });

  it('open files whose names do not say when they began, to put them in order', async () => {
    const { stateDir, env } = await encrypted(owner.identity);
    for (const [name, hours] of Object.entries({ b: 1, c: -1 })) {
      const bytes = segment(hours + 2, hours);
      writeFileSync(join(stateDir, `${name}.tlm.age`), await encryptFor([owner.recipient], bytes));
    }
    const { lines } = await exported(stateDir, ['b.tlm.age', 'c.tlm.age', '-f', 'jsonl'], { env });
    expect(times(lines)).toEqual([-1, 1].map((hours) => START + hours * 3_600_000 + 1000));
  });
});

describe('telemetryctl inspect --since', () => {
  // The tests' clock is an hour after the first segment began.
  it('leaves out events, and files, that are older', async () => {
    const stateDir = folderWith({ 'old.tlm': sealed(), 'new.tlm': segment(2, 0.9) });
    const since = async (...words: readonly string[]): Promise<string[]> => {
      const { out } = await run(['inspect', 'old.tlm', 'new.tlm', '--since', ...words], { stateDir });
      return out.split('\n').slice(0, -1);
    };
    expect(await since('2h', '--json')).toHaveLength(7);
    expect(await since('59m', '--json')).toHaveLength(2);
    expect(await since('30m', '--events')).toHaveLength(1);
    expect((await since('30m')).filter((line) => line.endsWith('.tlm'))).toEqual(['new.tlm']);
    expect(await since('1s')).toEqual([]);
  });

  it('refuses what is not a duration', async () => {
    const { code, err } = await run(['inspect', '--since', 'yesterday'], { stateDir: folderWith({}) });
    expect(code).toBe(2);
    expect(err).toContain('Try: telemetryctl inspect --since 30m');
  });
});
