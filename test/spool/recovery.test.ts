import { copyFileSync, cpSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { encodeHeader } from '../../src/segment/header.ts';
import { readSegment } from '../../src/segment/read.ts';
import { listSegments } from '../../src/spool/list-segments.ts';
import { Spool } from '../../src/spool/spool.ts';
import { runChild } from './child.ts';
import { movesBlock, sampleHeader, segmentId } from './samples.ts';
import { fillDisk, tempFolder, tinyDisk } from './temp-folder.ts';

const SENT = { sha256: 'ab', bytes: 10, chargedBytes: 20, destination: 'http://localhost', atWallMs: 5 };

function recovered(folder: string) {
  const spool = new Spool(folder);
  const report = spool.recover();
  spool.stop();
  return report;
}

function stagesOf(folder: string, id: string): string[] {
  return listSegments(folder)
    .filter((file) => file.id === id)
    .map((file) => file.stage);
}

/** A state folder whose only segment, number 1, was left in an open journal of 20 events. */
function crashedFolder(): { folder: string; journal: string } {
  const folder = tempFolder();
  recovered(folder);
  const journal = join(folder, 'journal', `${segmentId(1)}.tlm`);
  writeFileSync(journal, Buffer.concat([encodeHeader(sampleHeader(1)), movesBlock(1, 20)]));
  return { folder, journal };
}

/** A state folder whose only segment, number 1, is sealed. */
function sealedFolder(): { folder: string; sealed: string; journalBytes: Uint8Array } {
  const { folder, journal } = crashedFolder();
  const journalBytes = readFileSync(journal);
  renameSync(journal, journal.replace('.tlm', '.closed.tlm'));
  expect(recovered(folder).sealed).toHaveLength(1);
  return { folder, sealed: join(folder, 'sealed', `${segmentId(1)}.tlm`), journalBytes };
}

test('a journal torn at any byte keeps all its complete blocks and says that it crashed', () => {
  const folder = tempFolder();
  recovered(folder);
  const journalOf = (n: number) =>
    [encodeHeader(sampleHeader(n)), movesBlock(n, 3), movesBlock(n, 3, 100), movesBlock(n, 3, 200)] as const;
  // Sizes differ by a byte or two from one segment to the next.
  const endsOf = (n: number) => {
    let end = 0;
    return journalOf(n).map((part) => (end += part.length));
  };
  const length = Math.max(...endsOf(1));
  for (let n = 0; n <= length; n++) {
    const path = join(folder, 'journal', `${segmentId(n)}.tlm`);
    writeFileSync(path, Buffer.concat(journalOf(n)).subarray(0, n));
  }
  const report = recovered(folder);
  expect(report.problems).toEqual([]);
  for (let n = 0; n <= length; n++) {
    const [headerEnd = 0, ...blockEnds] = endsOf(n);
    const blocks = blockEnds.filter((end) => end <= n).length;
    if (blocks === 0) {
      const isGone = n === 0 || n >= headerEnd;
      expect(stagesOf(folder, segmentId(n))).toEqual(isGone ? [] : ['quarantine']);
      continue;
    }
    const segment = readSegment(readFileSync(join(folder, 'sealed', `${segmentId(n)}.tlm`)));
    expect(segment.columns.count).toBe(blocks * 3);
    const last = segment.columns.t[segment.columns.count - 1] ?? 0;
    expect(segment.gaps).toEqual([{ kind: 'crashed', startMonoMs: last, endMonoMs: last }]);
  }
  expect(listSegments(folder).filter((file) => file.stage === 'journal')).toEqual([]);
}, 30_000);

test('a journal that was closed in good order is sealed without a crash', () => {
  const { sealed } = sealedFolder();
  expect(readSegment(readFileSync(sealed)).gaps).toEqual([]);
});

test('an unreadable journal goes to quarantine and the others are sealed', () => {
  const { folder } = crashedFolder();
  writeFileSync(join(folder, 'journal', `${segmentId(0)}.tlm`), 'this is no segment');
  const wrongName = Buffer.concat([encodeHeader(sampleHeader(7)), movesBlock(7, 2)]);
  writeFileSync(join(folder, 'journal', `${segmentId(2)}.closed.tlm`), wrongName);
  writeFileSync(join(folder, 'journal', `${segmentId(3)}.closed.tlm`), 'nor is this');
  const report = recovered(folder);
  expect(report.quarantined.map(({ id }) => id)).toEqual([0, 2, 3].map(segmentId));
  expect(report.sealed.map(({ id }) => id)).toEqual([segmentId(1)]);
  expect(recovered(folder)).toMatchObject({ quarantined: [], sealed: [] });
});

test('killed while sealing: the temporary file goes, the journal is sealed', () => {
  const { folder } = crashedFolder();
  writeFileSync(join(folder, 'sealed', `${segmentId(1)}.tlm.tmp-4194305`), 'half a segm');
  expect(recovered(folder)).toMatchObject({ tempFiles: 1, sealed: [{ id: segmentId(1), events: 20 }] });
  expect(stagesOf(folder, segmentId(1))).toEqual(['sealed']);
});

test.each(['sealed', 'outbox', 'sent'])(
  'killed before the journal was removed: a segment in %s stays one',
  (stage) => {
    const { folder, sealed, journalBytes } = sealedFolder();
    renameSync(sealed, sealed.replace('/sealed/', `/${stage}/`));
    const before = readFileSync(sealed.replace('/sealed/', `/${stage}/`));
    for (const name of ['tlm', 'closed.tlm']) {
      writeFileSync(join(folder, 'journal', `${segmentId(1)}.${name}`), journalBytes);
    }
    expect(recovered(folder).duplicates).toEqual([segmentId(1), segmentId(1)]);
    const [file, ...others] = listSegments(folder);
    expect(others).toEqual([]);
    expect(file?.stage).toBe(stage === 'sent' ? 'sent' : 'sealed');
    expect(readFileSync(file?.path ?? '')).toEqual(before);
  },
);

test('a journal whose segment was sent and forgotten is dropped', () => {
  const { folder, sealed, journalBytes } = sealedFolder();
  rmSync(sealed);
  writeFileSync(join(folder, 'sent.jsonl'), `${JSON.stringify({ id: segmentId(1), ...SENT })}\n`);
  writeFileSync(join(folder, 'journal', `${segmentId(1)}.tlm`), journalBytes);
  expect(recovered(folder).duplicates).toEqual([segmentId(1)]);
  expect(listSegments(folder)).toEqual([]);
});

test('killed in a round: what was recorded as stored is in sent, the rest back in sealed', () => {
  const { folder, sealed } = sealedFolder();
  const outbox = sealed.replace('/sealed/', '/outbox/');
  renameSync(sealed, outbox);
  const copy = tempFolder();
  cpSync(folder, copy, { recursive: true });
  expect(recovered(folder).returned).toEqual([segmentId(1)]);
  expect(stagesOf(folder, segmentId(1))).toEqual(['sealed']);
  writeFileSync(join(copy, 'sent.jsonl'), `${JSON.stringify({ id: segmentId(1), ...SENT })}\n`);
  expect(recovered(copy)).toMatchObject({ confirmed: [segmentId(1)], sentEver: { segments: 1, bytes: 10 } });
  expect(stagesOf(copy, segmentId(1))).toEqual(['sent']);
});

test('a record of sending torn by a power cut is kept aside, and its segment is sent again', () => {
  const { folder, sealed } = sealedFolder();
  renameSync(sealed, sealed.replace('/sealed/', '/outbox/'));
  const line = `${JSON.stringify({ id: segmentId(8), ...SENT })}\n`;
  writeFileSync(join(folder, 'sent.jsonl'), `${line}{"id":"${segmentId(1)}","sha`);
  expect(recovered(folder)).toMatchObject({ returned: [segmentId(1)], sentEver: { segments: 1 } });
  expect(readFileSync(join(folder, 'sent.jsonl'), 'utf8')).toBe(line);
  expect(readFileSync(join(folder, 'sent.jsonl.torn-1'), 'utf8')).toBe(`{"id":"${segmentId(1)}","sha`);
});

test('a damaged sealed file goes to quarantine, and a journal that is still there replaces it', () => {
  const { folder, sealed, journalBytes } = sealedFolder();
  truncateSync(sealed, 200);
  const [quarantined] = recovered(folder).quarantined;
  expect(quarantined?.id).toBe(segmentId(1));
  expect(quarantined?.why).toContain('Not a sound segment file');
  expect(stagesOf(folder, segmentId(1))).toEqual(['quarantine']);
  copyFileSync(join(folder, 'quarantine', `${segmentId(1)}.tlm`), sealed);
  writeFileSync(join(folder, 'journal', `${segmentId(1)}.tlm`), journalBytes);
  expect(recovered(folder)).toMatchObject({ sealed: [{ id: segmentId(1), events: 20 }] });
  expect(stagesOf(folder, segmentId(1)).sort()).toEqual(['quarantine', 'quarantine', 'sealed']);
});

test('on a full disk a crashed journal waits, and is sealed at the next start that has room', (context) => {
  const disk = tinyDisk();
  if (disk === undefined) return context.skip('mounting a tmpfs needs root');
  recovered(disk);
  const journal = Buffer.concat([encodeHeader(sampleHeader(1)), movesBlock(1, 200)]);
  writeFileSync(join(disk, 'journal', `${segmentId(1)}.tlm`), journal);
  fillDisk(disk);
  const spool = new Spool(disk);
  const report = spool.recover();
  expect(report.problems.join()).toMatch(/cannot write .*ENOSPC$/);
  expect(report).toMatchObject({ sealed: [], quarantined: [], empty: [] });
  expect(spool.waiting()).toEqual([segmentId(1)]);
  expect(() => spool.seal(segmentId(1))).toThrow(/ENOSPC/);
  expect(stagesOf(disk, segmentId(1))).toEqual(['journal']);
  rmSync(join(disk, 'ballast'));
  expect(spool.seal(segmentId(1))).toMatchObject({ kind: 'sealed', facts: { events: 200 } });
  expect(stagesOf(disk, segmentId(1))).toEqual(['sealed']);
  spool.stop();
});

test('killed at random moments, all that was flushed is in exactly one place and what was sent stays sent', async () => {
  const folder = tempFolder();
  const synced = new Map<number, number>();
  const sent = new Set<number>();
  for (let run = 0; run < 5; run++) {
    let lines = 0;
    const child = runChild('spool-child.ts', [folder, String(run * 1000)], (line) => {
      const [word, n, events] = line.split(' ');
      if (word === 'sent') sent.add(Number(n));
      else synced.set(Number(n), Number(events));
      lines++;
    });
    while (lines < 3 && child.process.exitCode === null) await sleep(2);
    await sleep(Math.random() * 60);
    child.process.kill('SIGKILL');
    expect(await child.ended).toBeNull();
  }
  const report = recovered(folder);
  expect(report.quarantined).toEqual([]);
  const files = new Map(listSegments(folder).map((file) => [file.id, file]));
  for (const [n, events] of synced) {
    const file = files.get(segmentId(n));
    const { columns } = readSegment(readFileSync(file?.path ?? ''));
    expect(columns.count).toBeGreaterThanOrEqual(events);
    // Whole and in order, whatever the kill cut off.
    expect([...columns.x.subarray(0, columns.count)]).toEqual(
      Array.from({ length: columns.count }, (_, i) => i),
    );
    if (sent.has(n)) expect(file?.stage).toBe('sent');
    else if (n % 3 !== 0) expect(file?.stage).toBe('sealed');
  }
  expect(listSegments(folder)).toHaveLength(files.size);
}, 30_000);
