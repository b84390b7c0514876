import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TelemetryError } from '../../src/core/errors.ts';
import { readSegment } from '../../src/segment/read.ts';
import { openAppendFile } from '../../src/spool/append-file.ts';
import { createJournal } from '../../src/spool/journal-file.ts';
import { movesBlock, sampleHeader, segmentId } from './samples.ts';
import { fillDisk, tempFolder, tinyDisk } from './temp-folder.ts';

test('a journal is private, new, and holds the header and the blocks that were appended', () => {
  const folder = tempFolder();
  mkdirSync(join(folder, 'journal'));
  const { file: journal } = createJournal(folder, sampleHeader());
  journal.append(movesBlock(1, 3), movesBlock(1, 2, 100));
  journal.sync();
  journal.close();
  expect(statSync(journal.path).mode & 0o777).toBe(0o600);
  expect(statSync(journal.path).size).toBe(journal.sizeBytes);
  expect(readSegment(readFileSync(journal.path)).columns.count).toBe(5);
  expect(() => createJournal(folder, sampleHeader())).toThrow(/EEXIST/);
});

test('a link in the place of a journal is not written through', () => {
  const folder = tempFolder();
  mkdirSync(join(folder, 'journal'));
  const target = join(folder, 'target');
  symlinkSync(target, join(folder, 'journal', `${segmentId(1)}.tlm`));
  expect(() => createJournal(folder, sampleHeader())).toThrow(/EEXIST/);
  expect(() => openAppendFile(join(folder, 'journal', `${segmentId(1)}.tlm`), 'any')).toThrow(/ELOOP/);
  expect(() => statSync(target)).toThrow(/ENOENT/);
});

test('on a full disk an append leaves whole frames only, says so, and works again once there is room', (context) => {
  const disk = tinyDisk();
  if (disk === undefined) return context.skip('mounting a tmpfs needs root');
  mkdirSync(join(disk, 'journal'));
  const { file: journal } = createJournal(disk, sampleHeader());
  const ballast = openAppendFile(join(disk, 'ballast'), 'new');
  ballast.append(new Uint8Array(40_000));
  const block = movesBlock(1, 600);
  let appended = 0;
  let refusal: unknown;
  while (refusal === undefined) {
    try {
      journal.append(block);
      appended++;
    } catch (error) {
      refusal = error;
    }
  }
  expect(refusal).toMatchObject({ code: 'unavailable', retryable: true });
  expect((refusal as TelemetryError).hint).toContain('free some space');
  const full = readSegment(readFileSync(journal.path));
  expect(full).toMatchObject({ tornBytes: 0, columns: { count: appended * 600 } });
  expect(statSync(journal.path).size).toBe(journal.sizeBytes);
  ballast.close();
  rmSync(ballast.path);
  journal.append(block);
  journal.sync();
  journal.close();
  expect(readSegment(readFileSync(journal.path)).columns.count).toBe((appended + 1) * 600);
});

test('on a full disk no journal is begun, and nothing is left of it', (context) => {
  const disk = tinyDisk();
  if (disk === undefined) return context.skip('mounting a tmpfs needs root');
  mkdirSync(join(disk, 'journal'));
  fillDisk(disk);
  expect(() => createJournal(disk, sampleHeader())).toThrow(TelemetryError);
  expect(() => statSync(join(disk, 'journal', `${segmentId(1)}.tlm`))).toThrow(/ENOENT/);
});
