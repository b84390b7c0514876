import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EventColumns, KIND, NO_LOSS } from '../../src/core/events.ts';
import { cutSegment, type Span } from '../../src/segment/cut.ts';
import { readSegment } from '../../src/segment/read.ts';
import { eventRecords } from '../../src/segment/records.ts';
import { sealDecoded } from '../../src/segment/seal.ts';
import type { ClockSync, Segment } from '../../src/segment/types.ts';
import { sampleHeader } from '../spool/samples.ts';
import { columnsOf } from './samples.ts';

const ORIGIN_MS = 1000;
const START_WALL_MS = 1_790_000_000_000;

/** Times of events, in order, some at the same millisecond. */
const TIMES = fc
  .array(fc.integer({ min: 0, max: 400 }), { maxLength: 40 })
  .map((steps) =>
    steps.reduce<number[]>((times, step) => [...times, (times.at(-1) ?? ORIGIN_MS) + step], []),
  );

const SPANS = fc.array(
  fc.tuple(fc.integer({ min: -500, max: 9000 }), fc.integer({ min: 0, max: 3000 })).map(([from, length]) => ({
    fromWallMs: START_WALL_MS + from,
    untilWallMs: START_WALL_MS + from + length,
  })),
  { maxLength: 3 },
);

/** The wall clock may be set in the middle, back or forth. */
const CLOCKS = fc.array(
  fc.record({
    monoMs: fc.integer({ min: ORIGIN_MS, max: 8000 }),
    wallMs: fc.integer({ min: START_WALL_MS - 3000, max: START_WALL_MS + 9000 }),
  }),
  { maxLength: 2 },
);

function segmentOf(times: readonly number[], clocks: readonly ClockSync[] = []): Segment {
  const columns = columnsOf(times.map((t, i) => [t, KIND.move, i, 2 * i, 0, 0]));
  const header = { ...sampleHeader(1), originMonoMs: ORIGIN_MS, startWallMs: START_WALL_MS };
  return { header, columns, gaps: [], clocks, loss: NO_LOSS, footer: null, tornBytes: 0 };
}

function rowsOf({ count, t, kind, x, y, a, b }: EventColumns): unknown[] {
  return Array.from({ length: count }, (_, i) => [t[i], kind[i], x[i], y[i], a[i], b[i]]);
}

function isIn(wallMs: number, spans: readonly Span[]): boolean {
  return spans.some(({ fromWallMs, untilWallMs }) => wallMs >= fromWallMs && wallMs <= untilWallMs);
}

describe('cutting a segment', () => {
  it('removes every event of the spans and leaves every other as it was, whatever the clock did', () => {
    fc.assert(
      fc.property(TIMES, SPANS, CLOCKS, (times, spans, clocks) => {
        const before = segmentOf(times, clocks);
        const { segment, removed } = cutSegment(before, spans);
        const walls = [...eventRecords(before)].map(({ t }) => t);
        const outside = rowsOf(before.columns).filter((_, i) => !isIn(walls[i] ?? 0, spans));
        expect(rowsOf(segment.columns)).toEqual(outside);
        expect(removed).toBe(before.columns.count - outside.length);
        expect([...eventRecords(segment)].some(({ t }) => isIn(t, spans))).toBe(false);
        expect({ ...segment, columns: 0, gaps: 0 }).toEqual({ ...before, columns: 0, gaps: 0 });
      }),
    );
  });

  it('leaves a gap for each run of removed events, from a kept one to the next, and no kept event within it', () => {
    fc.assert(
      fc.property(TIMES, SPANS, (times, spans) => {
        const before = segmentOf(times);
        const { segment, removed } = cutSegment(before, spans);
        const kept = [...segment.columns.t];
        expect(segment.gaps.length > 0).toBe(removed > 0);
        for (const { kind, startMonoMs, endMonoMs } of segment.gaps) {
          expect(kind).toBe('withheld');
          expect(kept.filter((t) => t > startMonoMs && t < endMonoMs)).toEqual([]);
        }
        for (const t of times.filter((time) => !kept.includes(time))) {
          expect(segment.gaps.some((gap) => gap.startMonoMs <= t && t <= gap.endMonoMs)).toBe(true);
        }
      }),
    );
  });

  it('can be sealed and read again, and cutting it again removes nothing', () => {
    fc.assert(
      fc.property(TIMES, SPANS, (times, spans) => {
        const { segment } = cutSegment(segmentOf(times), spans);
        const read = readSegment(sealDecoded(segment, 'quick').bytes);
        expect(rowsOf(read.columns)).toEqual(rowsOf(segment.columns));
        expect(read.gaps).toEqual(segment.gaps);
        expect(cutSegment(read, spans).removed).toBe(0);
      }),
    );
  });
});
