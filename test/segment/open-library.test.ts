import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXPORT_COLUMNS } from '../../src/export/export-columns.ts';
import { encryptFor, newIdentity } from '../../src/segment/age-file.ts';
import { encodeBlock } from '../../src/segment/block.ts';
import { encodeHeader } from '../../src/segment/header.ts';
import { encodeClockSync, encodeGap } from '../../src/segment/marks.ts';
import { sealSegment } from '../../src/segment/seal.ts';
import { columnsOf, concat, deskRows, HEADER } from './samples.ts';

const REPO = join(import.meta.dirname, '../..');
const DOCUMENT = readFileSync(join(REPO, 'docs/reading-segments.md'), 'utf8');

/** Someone else's project, with this package among its packages. */
const project = mkdtempSync(join(tmpdir(), 'reader-'));
afterAll(() => rmSync(project, { recursive: true, force: true }));

const rows = deskRows(800);
const sealed = sealSegment(
  concat(
    encodeHeader(HEADER),
    encodeBlock(columnsOf(rows), 0, rows.length),
    encodeGap({ kind: 'withheld', startMonoMs: 6000, endMonoMs: 8500 }),
    encodeClockSync({ monoMs: 9000, wallMs: 1_760_000_100_000 }),
  ),
).bytes;

/** What both documented programs print of that segment, worked out from the rows. */
const EXPECTED = {
  device: HEADER.device,
  sequence: HEADER.sequence,
  counts: countsOf(rows.map(([, kind]) => ['move', 'down', 'up', 'wheel', 'keydown', 'keyup'][kind] ?? '')),
  travelledPx: Math.round(
    rows.reduce((sum, [, kind, x, y], at) => {
      const before = rows[at - 1];
      return kind === 0 && before !== undefined ? sum + Math.hypot(x - before[2], y - before[3]) : sum;
    }, 0),
  ),
  gapsMs: 2500,
  firstMs: 1_760_000_100_000 + (rows[0]?.[0] ?? 0) - 9000,
};

function countsOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function snippet(language: string): string {
  const [, text = ''] = new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 's').exec(DOCUMENT) ?? [];
  return text;
}

function run(program: string, ...args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(program, args, { cwd: project, encoding: 'utf8' });
}

beforeAll(async () => {
  mkdirSync(join(project, 'node_modules/@types'), { recursive: true });
  symlinkSync(REPO, join(project, 'node_modules/telemetryd'));
  symlinkSync(join(REPO, 'node_modules/@types/node'), join(project, 'node_modules/@types/node'));
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  const { identity, recipient } = await newIdentity();
  writeFileSync(join(project, 'key.txt'), `# a comment, as age-keygen writes it\n${identity}\n`);
  writeFileSync(join(project, 'segment.tlm'), sealed);
  writeFileSync(join(project, 'segment.tlm.age'), await encryptFor([recipient], sealed));
});

describe('the library telemetryd/segment', () => {
  const TSC = ['--ignoreConfig', '--noEmit', '--strict', '--target', 'es2024', '--module', 'nodenext'];

  it('has types that a strict program can be checked against, without skipping ours', () => {
    writeFileSync(
      join(project, 'user.ts'),
      `import { BUTTON, KIND, type EventRecord, keyCode, openSegment, type OpenedSegment, TelemetryError, unpackKeyDetail } from 'telemetryd/segment';
      export async function clicks(bytes: Uint8Array, identity: string): Promise<EventRecord[]> {
        const segment: OpenedSegment = await openSegment(bytes, { identities: [identity] });
        const { t, a, b, kind }: { t: Float64Array; a: Int32Array; b: Int32Array; kind: Uint8Array } = segment.columns;
        const lefts = kind.filter((value, i) => value === KIND.down && a[i] === BUTTON.left).length;
        const code: string | undefined = keyCode(a[0] ?? 0);
        const { keyClass } = unpackKeyDetail(b[0] ?? 0);
        const why = (error: unknown) => (error instanceof TelemetryError ? error.code === 'bad-segment' : code === keyClass);
        const gap: 'withheld' | 'stopped' | 'crashed' | 'asleep' | undefined = segment.gaps[0]?.kind;
        if (why(gap) || lefts > t.length || segment.footer === null) return [];
        return [...segment.events()].filter((event) => event.kind === 'down' && event.button === 'left');
      }`,
    );
    const { stdout } = run(join(REPO, 'node_modules/.bin/tsc'), ...TSC, 'user.ts');
    expect(stdout).toBe('');
    writeFileSync(
      join(project, 'wrong.ts'),
      `import { openSegment } from 'telemetryd/segment';
      const segment = await openSegment(new Uint8Array());
      for (const event of segment.events()) event.kind === 'click';
      segment.columns.t = segment.columns.x;
      segment.header.nonsense;`,
    );
    const wrong = run(join(REPO, 'node_modules/.bin/tsc'), ...TSC, 'wrong.ts').stdout;
    expect([...wrong.matchAll(/^wrong\.ts\((\d)/gm)].map(([, line]) => line)).toEqual(['3', '4', '5']);
  }, 60_000);

  it('loads no age library for a file that is not encrypted', () => {
    const files = ['segment.js'];
    const texts = files.map((file) => readFileSync(join(REPO, 'dist', file), 'utf8'));
    for (const text of texts) {
      for (const [, file = ''] of text.matchAll(/(?:\bfrom|\bimport) ?"\.\/([^"]+)"/g)) {
        if (files.includes(file)) continue;
        files.push(file);
        texts.push(readFileSync(join(REPO, 'dist', file), 'utf8'));
      }
    }
    const isLoaded = (words: string): boolean => texts.some((text) => text.includes(words));
    expect(isLoaded('Not a sound segment file')).toBe(true);
    expect(isLoaded('age-encryption.org/v1/X25519')).toBe(false);
  });

  it('exports nothing else of the package', () => {
    const script = "import('telemetryd/dist/telemetryd.js').catch((error) => console.log(error.code))";
    expect(run(process.execPath, '-e', script).stdout).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED\n');
  });
});

describe('docs/reading-segments.md', () => {
  it('has a TypeScript program that is right and reads both kinds of file', () => {
    writeFileSync(join(project, 'read.ts'), snippet('ts'));
    const checked = run(
      join(REPO, 'node_modules/.bin/tsc'),
      ...['--ignoreConfig', '--noEmit', '--strict', '--target', 'es2024', '--module', 'nodenext'],
      ...['--types', 'node', 'read.ts'],
    );
    expect(checked.stdout).toBe('');
    for (const args of [['segment.tlm'], ['segment.tlm.age', 'key.txt']]) {
      const { stdout, stderr } = run(process.execPath, 'read.ts', ...args);
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toEqual(EXPECTED);
    }
  }, 60_000);

  const PYTHON = ['python3', '/usr/bin/python3'].find(
    (python) => spawnSync(python, ['-c', 'import msgpack, brotli']).status === 0,
  );

  it('has a Python program that reads both kinds of file', ({ skip }) => {
    if (PYTHON === undefined) return skip('no python3 with the modules msgpack and brotli');
    copyFileSync(join(import.meta.dirname, 'read_segment.py'), join(project, 'read_segment.py'));
    writeFileSync(join(project, 'read.py'), snippet('python'));
    const plain = run(PYTHON, 'read.py', 'segment.tlm');
    expect(plain.stderr).toBe('');
    expect(JSON.parse(plain.stdout)).toEqual(EXPECTED);
    if (spawnSync('age', ['--version']).status !== 0) return skip('no age command');
    const encrypted = run(PYTHON, 'read.py', 'segment.tlm.age', 'key.txt');
    expect(encrypted.stderr).toBe('');
    expect(JSON.parse(encrypted.stdout)).toEqual(EXPECTED);
  });

  it('has queries that DuckDB takes and answers as the other two', ({ skip }) => {
    const python = [PYTHON ?? '', 'python3'].find(
      (name) => name !== '' && spawnSync(name, ['-c', 'import duckdb']).status === 0,
    );
    if (python === undefined) return skip('no python3 with the module duckdb');
    const exported = run(
      process.execPath,
      join(REPO, 'dist/telemetryctl.js'),
      ...['export', 'segment.tlm', '--format', 'parquet', '--output', 'events.parquet'],
    );
    expect(exported.stderr).toBe('');
    writeFileSync(join(project, 'queries.sql'), snippet('sql'));
    writeFileSync(
      join(project, 'query.py'),
      `import duckdb, json
queries = open('queries.sql').read().split(';')
print(json.dumps([duckdb.sql(query).fetchall() for query in queries if query.strip()], default=str))`,
    );
    const { stdout, stderr } = run(python, 'query.py');
    expect(stderr).toBe('');
    const [kinds = [], minutes = [], metadata = []] = JSON.parse(stdout) as (string | number)[][][];
    expect(Object.fromEntries(kinds.map(([kind, events]) => [kind, events]))).toEqual(EXPECTED.counts);
    expect(minutes.every(([device]) => device === HEADER.device)).toBe(true);
    expect(metadata.map(([key]) => key)).toEqual(['telemetryd.schema', 'telemetryd.segments']);
  });

  it('has the columns that an export has, with their units', () => {
    const table = [...DOCUMENT.matchAll(/^\| `(\w+)` \| (\w+) \| (\w*) ?\| /gm)].map(
      ([, name, type, unit]) => ({
        name,
        type,
        unit,
      }),
    );
    expect(table).toEqual(EXPORT_COLUMNS.map(({ name, type, unit }) => ({ name, type, unit })));
  });
});
