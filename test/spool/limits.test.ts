import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listSegments } from '../../src/spool/list-segments.ts';
import { Spool } from '../../src/spool/spool.ts';
import { movesBlock, START_WALL_MS, sampleHeader, segmentId } from './samples.ts';
import { tempFolder } from './temp-folder.ts';

const DAY_MS = 86_400_000;
const NO_LIMITS = { limitBytes: Infinity, retentionMs: Infinity, keepSentMs: Infinity };
const SENT = { sha256: 'ab', bytes: 10, chargedBytes: 20, destination: 'http://localhost' };

/** Segments 1 to 6 are sealed, 1 and 2 were sent (2 first), 3 is in a round, 7 is closed, 8 is open. */
function fullSpool(): { spool: Spool; folder: string; sizes: number[] } {
  const folder = tempFolder();
  const spool = new Spool(folder);
  spool.recover();
  const sizes = [0];
  for (let n = 1; n <= 8; n++) {
    spool.open(sampleHeader(n));
    spool.append(movesBlock(n, 10));
    if (n === 8) break;
    spool.close();
    const sealed = n < 7 ? spool.seal(segmentId(n)) : undefined;
    sizes.push(sealed?.kind === 'sealed' ? sealed.facts.sizeBytes : 0);
  }
  spool.takeForRound([1, 2, 3].map(segmentId), 'http://127.0.0.1:7717');
  spool.markSent(segmentId(2), { ...SENT, atWallMs: START_WALL_MS });
  spool.markSent(segmentId(1), { ...SENT, atWallMs: START_WALL_MS + DAY_MS });
  return { spool, folder, sizes };
}

test('within the limits nothing is dropped', () => {
  const { spool } = fullSpool();
  expect(spool.enforceLimits(NO_LIMITS, START_WALL_MS + 1000 * DAY_MS)).toEqual([]);
  const limitBytes = spool.stats().bytes;
  expect(spool.enforceLimits({ ...NO_LIMITS, limitBytes }, START_WALL_MS)).toEqual([]);
  spool.stop();
});

test('over the quota the oldest sent go first, then the oldest sealed, one by one and no more than needed', () => {
  const { spool, folder, sizes } = fullSpool();
  const order: number[] = [];
  for (;;) {
    const { bytes } = spool.stats();
    const [dropped, ...more] = spool.enforceLimits({ ...NO_LIMITS, limitBytes: bytes - 1 }, START_WALL_MS);
    if (dropped === undefined) break;
    expect(more).toEqual([]);
    const n = Number(dropped.id.slice(-1));
    expect(dropped.cause).toBe('quota');
    if (dropped.stage === 'sealed') expect(dropped).toMatchObject({ events: 10, sizeBytes: sizes[n] });
    expect(spool.stats().bytes).toBe(bytes - dropped.sizeBytes);
    order.push(n);
  }
  expect(order).toEqual([2, 1, 4, 5, 6, 7]);
  expect(listSegments(folder).map((file) => file.stage)).toEqual(['outbox', 'journal']);
  spool.stop();
});

test('unsent segments go after their retention, sent ones after theirs', () => {
  const { spool } = fullSpool();
  const limits = { ...NO_LIMITS, retentionMs: 7 * DAY_MS, keepSentMs: 2 * DAY_MS };
  const lastOf4 = START_WALL_MS + 4 * 60_000 + 90;
  const at = (wallMs: number) =>
    spool.enforceLimits(limits, wallMs).map(({ id, cause }) => `${cause} ${Number(id.slice(-1))}`);
  expect(at(START_WALL_MS + 2 * DAY_MS - 1)).toEqual([]);
  expect(at(START_WALL_MS + 2 * DAY_MS)).toEqual(['keep-sent 2']);
  expect(at(START_WALL_MS + 3 * DAY_MS)).toEqual(['keep-sent 1']);
  expect(at(lastOf4 + 7 * DAY_MS - 1)).toEqual([]);
  expect(at(lastOf4 + 7 * DAY_MS)).toEqual(['retention 4']);
  spool.stop();
});

test('the time of sending is still known after a restart', () => {
  const { spool, folder } = fullSpool();
  spool.stop();
  const again = new Spool(folder);
  again.recover();
  const limits = { ...NO_LIMITS, keepSentMs: DAY_MS };
  expect(again.enforceLimits(limits, START_WALL_MS + DAY_MS).map(({ id }) => id)).toEqual([segmentId(2)]);
  again.stop();
});

test('quarantine gives way to age and not to the quota', () => {
  const { spool, folder } = fullSpool();
  spool.quarantine(segmentId(6));
  spool.stop();
  const path = join(folder, 'quarantine', `${segmentId(6)}.tlm`);
  utimesSync(path, START_WALL_MS / 1000, START_WALL_MS / 1000);
  const again = new Spool(folder);
  again.recover();
  again.enforceLimits({ ...NO_LIMITS, limitBytes: 0 }, START_WALL_MS);
  expect(listSegments(folder).map((file) => file.stage)).toEqual(['quarantine']);
  const dropped = again.enforceLimits({ ...NO_LIMITS, retentionMs: DAY_MS }, START_WALL_MS + DAY_MS);
  expect(dropped).toMatchObject([
    { id: segmentId(6), stage: 'quarantine', cause: 'retention', events: null },
  ]);
  expect(readdirSync(join(folder, 'quarantine'))).toEqual([]);
  expect(again.stats()).toMatchObject({ bytes: 0, quarantined: { segments: 0, bytes: 0 } });
  again.stop();
});
