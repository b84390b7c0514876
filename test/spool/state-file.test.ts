import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ensureFolder, removeTempFiles } from '../../src/spool/durable-file.ts';
import { readStateFile, writeStateFile } from '../../src/spool/state-file.ts';
import { tempFolder } from './temp-folder.ts';

const parseCount = (json: unknown): number => {
  if (typeof json !== 'number') throw new Error('not a number');
  return json;
};

test('what was written is read back, and only its owner may read it', () => {
  const path = join(tempFolder(), 'count.json');
  expect(readStateFile(path, parseCount)).toEqual({ kind: 'missing' });
  writeStateFile(path, 41);
  writeStateFile(path, 42);
  expect(readStateFile(path, parseCount)).toEqual({ kind: 'ok', value: 42 });
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test.each([
  ['no JSON', '{"a":'],
  ['not what it should be', '"text"'],
  ['not UTF-8', Buffer.of(0x22, 0xff, 0x22)],
  ['empty', ''],
])('a damaged file (%s) is reported and kept, and a second one beside it', (_what, content) => {
  const folder = tempFolder();
  const path = join(folder, 'count.json');
  for (const n of [1, 2]) {
    writeFileSync(path, content);
    const read = readStateFile(path, parseCount);
    expect(read).toMatchObject({ kind: 'corrupt', keptAs: `${path}.corrupt-${n}` });
    expect(readStateFile(path, parseCount)).toEqual({ kind: 'missing' });
  }
  expect(readFileSync(`${path}.corrupt-1`)).toEqual(Buffer.from(content));
});

test('a symbolic link is neither read nor written through', () => {
  const folder = tempFolder();
  const target = join(folder, 'target');
  writeFileSync(target, '7');
  const path = join(folder, 'count.json');
  symlinkSync(target, path);
  expect(() => readStateFile(path, parseCount)).toThrow(/ELOOP/);
  symlinkSync(target, `${path}.tmp-${process.pid}`);
  writeStateFile(path, 8);
  expect(readFileSync(target, 'utf8')).toBe('7');
  expect(lstatSync(path).isSymbolicLink()).toBe(false);
  expect(readStateFile(path, parseCount)).toEqual({ kind: 'ok', value: 8 });
});

test('a failed write says where, leaves the old content and no temporary file', () => {
  const folder = tempFolder();
  const path = join(folder, 'count.json');
  mkdirSync(path);
  expect(() => writeStateFile(path, 1)).toThrow(/cannot write .*count\.json: EISDIR/);
  expect(readdirSync(folder)).toEqual(['count.json']);
});

test('left-overs of dead writers are removed, a file being written by another process is not', () => {
  const folder = tempFolder();
  // Numbers of processes end at 4194304 (proc(5), pid_max).
  for (const pid of [process.pid, 4_194_305, process.ppid]) writeFileSync(join(folder, `a.tmp-${pid}`), '');
  expect(removeTempFiles(folder)).toBe(2);
  expect(readdirSync(folder)).toEqual([`a.tmp-${process.ppid}`]);
});

test('folders are made private, and a link in the place of one is refused', () => {
  const folder = tempFolder();
  const open = join(folder, 'open');
  mkdirSync(open, { mode: 0o755 });
  ensureFolder(open);
  expect(statSync(open).mode & 0o777).toBe(0o700);
  symlinkSync(open, join(folder, 'link'));
  expect(() => ensureFolder(join(folder, 'link'))).toThrow(/is not a folder/);
  ensureFolder(join(folder, 'link'), true);
});
