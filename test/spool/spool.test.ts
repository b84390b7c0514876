import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodeClockSync, encodeGap, encodeLoss } from '../../src/segment/marks.ts';
import { readSegment } from '../../src/segment/read.ts';
import { listSegments } from '../../src/spool/list-segments.ts';
import { Spool } from '../../src/spool/spool.ts';
import { movesBlock, ORIGIN_MONO_MS, START_WALL_MS, sampleHeader, segmentId } from './samples.ts';
import { tempFolder } from './temp-folder.ts';

const SENT = {
  sha256: 'ab'.repeat(32),
  bytes: 10,
  chargedBytes: 20,
  destination: 'http://127.0.0.1:7717',
  atWallMs: 5,
};

function startedSpool(folder = tempFolder()): { spool: Spool; folder: string } {
  const spool = new Spool(folder);
  spool.recover();
  return { spool, folder };
}

/** Captures and seals the n-th segment with ten events. */
function capture(spool: Spool, n: number): string {
  spool.open(sampleHeader(n));
  spool.append(movesBlock(n, 10));
  spool.close();
  expect(spool.seal(segmentId(n)).kind).toBe('sealed');
  return segmentId(n);
}

function placesOf(folder: string): string[] {
  return listSegments(folder).map(({ stage, id }) => `${stage}/${Number.parseInt(id.slice(-12), 16)}`);
}

test('a segment goes from journal to sealed to outbox to sent, one file at a time', () => {
  const { spool, folder } = startedSpool();
  spool.open(sampleHeader(1));
  spool.append(movesBlock(1, 100), movesBlock(1, 50, 5000));
  spool.sync();
  expect(placesOf(folder)).toEqual(['journal/1']);
  expect(spool.openSegment?.sizeBytes).toBe(statSync(listSegments(folder)[0]?.path ?? '').size);
  expect(spool.close()).toBe(segmentId(1));
  expect(spool.waiting()).toEqual([segmentId(1)]);
  const result = spool.seal(segmentId(1));
  expect(result).toMatchObject({
    kind: 'sealed',
    facts: { id: segmentId(1), sequence: 1, events: 150, startWallMs: START_WALL_MS + 60_000 },
  });
  expect(placesOf(folder)).toEqual(['sealed/1']);
  const [file] = spool.takeForRound([segmentId(1), segmentId(2)], 'http://127.0.0.1:7717');
  expect(placesOf(folder)).toEqual(['outbox/1']);
  const bytes = readFileSync(file?.path ?? '');
  expect(readSegment(bytes)).toMatchObject({ columns: { count: 150 }, footer: { events: 150 } });
  expect(bytes.length).toBe(file?.sizeBytes);
  expect(spool.markSent(segmentId(1), SENT)).toBe(true);
  expect(placesOf(folder)).toEqual(['sent/1']);
  expect(spool.markSent(segmentId(1), SENT)).toBe(false);
  expect(spool.takeForRound([segmentId(1)], 'http://127.0.0.1:7717')).toEqual([]);
  spool.stop();
});

test('several closed journals wait for sealing, oldest first, while another is open', () => {
  const { spool } = startedSpool();
  for (const n of [1, 2, 3]) {
    spool.open(sampleHeader(n));
    spool.append(movesBlock(n, 1));
    if (n < 3) spool.close();
  }
  expect(spool.waiting()).toEqual([segmentId(1), segmentId(2)]);
  expect(spool.stats()).toMatchObject({ segments: 3, waiting: { segments: 2 } });
  expect(() => spool.seal(segmentId(3))).toThrow(/no closed journal/);
  expect(() => spool.open(sampleHeader(4))).toThrow(/close the open segment/);
  spool.seal(segmentId(2));
  expect(spool.waiting()).toEqual([segmentId(1)]);
  spool.stop();
  expect(spool.waiting()).toEqual([segmentId(1), segmentId(3)]);
});

test('an empty journal is removed, not sealed; a lasting gap or a dropped event makes it worth keeping', () => {
  const { spool, folder } = startedSpool();
  const at = ORIGIN_MONO_MS;
  const contents: [string, Uint8Array[]][] = [
    ['empty', []],
    ['empty', [encodeGap({ kind: 'withheld', startMonoMs: at, endMonoMs: at })]],
    [
      'empty',
      [encodeLoss({ thinned: 4, redacted: 2, dropped: 0 }), encodeClockSync({ monoMs: at, wallMs: 1 })],
    ],
    ['sealed', [encodeGap({ kind: 'withheld', startMonoMs: at, endMonoMs: at + 1000 })]],
    ['sealed', [encodeLoss({ thinned: 0, redacted: 0, dropped: 1 })]],
  ];
  contents.forEach(([kind, frames], n) => {
    spool.open(sampleHeader(n));
    spool.append(...frames);
    spool.close();
    expect(spool.seal(segmentId(n)).kind).toBe(kind);
  });
  expect(placesOf(folder)).toEqual(['sealed/3', 'sealed/4']);
  spool.stop();
});

test('the last event counts by the clock as it was corrected, at sealing and after a restart alike', () => {
  const { spool, folder } = startedSpool();
  spool.open(sampleHeader(0));
  const clock = { monoMs: ORIGIN_MONO_MS + 500, wallMs: START_WALL_MS + 3_600_500 };
  spool.append(movesBlock(0, 10), encodeClockSync(clock), movesBlock(0, 10, 1000));
  spool.append(encodeClockSync({ monoMs: ORIGIN_MONO_MS + 60_000, wallMs: 0 }));
  spool.close();
  spool.seal(segmentId(0));
  const expected = [
    expect.objectContaining({ lastEventWallMs: START_WALL_MS + 3_600_000 + 1090, events: 20 }),
  ];
  expect(spool.sealedSegments()).toEqual(expected);
  const facts = spool.sealedSegments();
  spool.stop();
  const again = startedSpool(folder).spool;
  expect(again.sealedSegments()).toEqual(facts);
  again.stop();
});

test('what a round did not send goes back, and an answer that comes later still counts', () => {
  const { spool, folder } = startedSpool();
  const ids = [1, 2, 3].map((n) => capture(spool, n));
  spool.takeForRound(ids, 'http://127.0.0.1:7717');
  spool.markSent(segmentId(2), SENT);
  expect(spool.returnFromOutbox()).toEqual([segmentId(1), segmentId(3)]);
  expect(placesOf(folder)).toEqual(['sealed/1', 'sent/2', 'sealed/3']);
  expect(spool.markSent(segmentId(1), SENT)).toBe(true);
  expect(placesOf(folder)).toEqual(['sent/1', 'sent/2', 'sealed/3']);
  spool.stop();
});

test('a sent segment is recorded even when its file was deleted meanwhile', () => {
  const { spool, folder } = startedSpool();
  expect(spool.markSent(segmentId(9), SENT)).toBe(true);
  expect(spool.stats().sentEver).toEqual({ segments: 1, bytes: 10 });
  spool.stop();
  const line: unknown = JSON.parse(readFileSync(join(folder, 'sent.jsonl'), 'utf8'));
  expect(line).toEqual({ id: segmentId(9), ...SENT });
  const again = startedSpool(folder).spool;
  expect(again.stats().sentEver).toEqual({ segments: 1, bytes: 10 });
  again.stop();
});

test('quarantine keeps every file, two of one id as well', () => {
  const { spool, folder } = startedSpool();
  mkdirSync(join(folder, 'quarantine'), { recursive: true });
  for (let turn = 0; turn < 2; turn++) {
    capture(spool, 1);
    if (turn === 1) spool.takeForRound([segmentId(1)], 'http://127.0.0.1:7717');
    expect(spool.quarantine(segmentId(1))).toBe(true);
  }
  expect(spool.quarantine(segmentId(1))).toBe(false);
  expect(readdirSync(join(folder, 'quarantine'))).toEqual([`${segmentId(1)}.2.tlm`, `${segmentId(1)}.tlm`]);
  expect(spool.stats()).toMatchObject({ segments: 0, quarantined: { segments: 2 } });
  spool.stop();
  const again = startedSpool(folder).spool;
  expect(again.stats().quarantined.segments).toBe(2);
  again.stop();
});

test('a name that is no UUID never reaches a path', () => {
  const { spool } = startedSpool();
  const id = '../../../../../tmp/evil-0000-000000000';
  expect(() => spool.open({ ...sampleHeader(1), segmentId: id })).toThrow(/must be a UUID/);
  expect(() => spool.markSent(id, SENT)).toThrow(/must be a UUID/);
  expect(spool.takeForRound([id], 'http://127.0.0.1:7717')).toEqual([]);
  expect(spool.quarantine(id)).toBe(false);
  spool.stop();
});

test('links in the folders are never followed, listed or counted', () => {
  const { spool, folder } = startedSpool();
  capture(spool, 1);
  spool.stop();
  const outside = join(folder, 'outside.tlm');
  writeFileSync(outside, readFileSync(join(folder, 'sealed', `${segmentId(1)}.tlm`)));
  for (const stage of ['journal', 'sealed', 'outbox', 'sent', 'quarantine']) {
    symlinkSync(outside, join(folder, stage, `${segmentId(5)}.tlm`));
    mkdirSync(join(folder, stage, `${segmentId(6)}.tlm`));
    writeFileSync(join(folder, stage, 'notes.txt'), 'mine');
  }
  const again = startedSpool(folder).spool;
  expect(placesOf(folder)).toEqual(['sealed/1']);
  expect(again.stats()).toMatchObject({ segments: 1, quarantined: { segments: 0 } });
  expect(() => again.open(sampleHeader(5))).toThrow(/EEXIST/);
  again.stop();
  expect(readSegment(readFileSync(outside)).columns.count).toBe(10);
  rmSync(join(folder, 'sealed'), { recursive: true });
  symlinkSync(folder, join(folder, 'sealed'));
  expect(() => new Spool(folder).recover()).toThrow(/is not a folder/);
});

test('counts in memory agree with a fresh look at the disk', () => {
  const { spool, folder } = startedSpool();
  const ids = [1, 2, 3, 4].map((n) => capture(spool, n));
  spool.takeForRound(ids.slice(0, 2), 'http://127.0.0.1:7717');
  spool.markSent(segmentId(1), SENT);
  spool.quarantine(segmentId(4));
  spool.open(sampleHeader(7));
  spool.append(movesBlock(7, 3));
  const files = listSegments(folder);
  const stats = spool.stats();
  expect(stats.bytes).toBe(files.reduce((sum, file) => sum + file.sizeBytes, 0));
  expect(stats).toMatchObject({
    segments: 4,
    oldestWallMs: START_WALL_MS + 2 * 60_000,
    quarantined: { segments: 1 },
    queued: { segments: 2 },
    waiting: { segments: 0, bytes: 0 },
    sentEver: { segments: 1, bytes: 10 },
  });
  spool.stop();
});

test('the list works on a folder that does not exist', () => {
  expect(listSegments(join(tempFolder(), 'none'))).toEqual([]);
});
