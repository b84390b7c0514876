import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyColumns, KIND, packKeyDetail } from '../../src/core/events.ts';
import { countMixEvents, decodeMixBlock, encodeMixBlock } from '../../src/segment/mix-block.ts';
import { findClock } from '../../src/segment/mix-clock.ts';
import { anyRows, asRead, columnsOf, deskRows, type Row, rowsOf } from './samples.ts';

function encode(rows: readonly Row[]): Uint8Array {
  return encodeMixBlock(columnsOf(rows)) ?? new Uint8Array();
}

function decode(payload: Uint8Array): Row[] {
  const count = countMixEvents(payload);
  const columns = { ...emptyColumns(count), count };
  decodeMixBlock(payload, columns);
  return rowsOf(columns);
}

/** Motion whose times are ticks of a clock with this period, milliseconds. */
function tickedRows(periodMs: number, count = 600): Row[] {
  return deskRows(count, 5).map(([t, ...rest]) => [5 + Math.floor(Math.round(t / 11) * periodMs), ...rest]);
}

/** Typing whose times are rounded down to 100 ms, as masking does, with motion in between. */
function maskedRows(count: number): Row[] {
  return Array.from({ length: count }, (_, i): Row => {
    const t = 1000 + 70 * i;
    if (i % 5 === 4) return [t, KIND.move, i, 0, 0, 0];
    return [Math.floor(t / 100) * 100, i % 2 ? KIND.keyup : KIND.keydown, i - 1 - (i % 5), 0, 0, 0];
  });
}

describe('a mixed block', () => {
  it('gives back whatever was written', () => {
    const holds = fc.property(anyRows, (rows) => {
      fc.pre(rows.length > 0);
      expect(decode(encode(rows))).toEqual(asRead(rows));
    });
    fc.assert(holds, { numRuns: 300 });
  });

  it('gives back columns of any 32-bit numbers at any times', () => {
    const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    const time = fc.oneof(
      fc.integer({ min: -(2 ** 50), max: 2 ** 50 }),
      fc.constantFrom(-(2 ** 50), 2 ** 50),
    );
    const row = fc.tuple(time, fc.integer({ min: 0, max: 5 }), int32, int32, int32, int32);
    const holds = fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), (rows) => {
      expect(decode(encode(rows))).toEqual(asRead(rows));
    });
    fc.assert(holds, { numRuns: 200 });
  });

  it.each([
    ['a hand at a desk', deskRows(4000)],
    ['a hand at 1 kHz', deskRows(4000, 2, 1)],
    ['a clock that ticks every 15.6001 ms', tickedRows(15.6001)],
    ['a clock that ticks every 15.625 ms', tickedRows(15.625)],
    ['masked typing', maskedRows(800)],
  ])('gives back %s', (_, rows) => {
    expect(decode(encode(rows))).toEqual(asRead(rows));
  });

  it('knows a coarse clock, so that its times cost next to nothing', () => {
    const ticked = tickedRows(15.6001, 3000);
    const shifted = ticked.map(([t, ...rest], i): Row => [t + ((i * i) % 3), ...rest]);
    expect(findClock(columnsOf(ticked)).period).toBe(16_357_890);
    expect(findClock(columnsOf(tickedRows(15.625))).period).toBe(16_384_000);
    expect(findClock(columnsOf(deskRows(3000)))).toEqual({ period: 0, phase: 0 });
    expect(encode(ticked).length).toBeLessThan(0.8 * encode(shifted).length);
  });

  it('has a time that is off its tick all the same', () => {
    const rows = tickedRows(15.6001).map(
      ([t, ...rest], i): Row => [t + (i % 50 === 7 ? (i % 4) - 2 : 0), ...rest],
    );
    rows.push([rows.at(-1)?.[0] ?? 0, KIND.keydown, rows.at(-1)?.[2] ?? 0, rows.at(-1)?.[3] ?? 0, 30, 0]);
    rows.push([2 ** 31, KIND.move, 7, 7, 0, 0]);
    expect(findClock(columnsOf(rows)).period).not.toBe(0);
    expect(decode(encode(rows))).toEqual(asRead(rows));
  });

  it('has keys with their ids, classes and modifiers', () => {
    const rows = Array.from({ length: 400 }, (_, i): Row => {
      const id = 5 + ((i >> 1) % 7);
      return [
        100 * i + (i % 13),
        i % 2 ? KIND.keyup : KIND.keydown,
        3,
        4,
        id,
        packKeyDetail('text', false, id & 3),
      ];
    });
    const payload = encode(rows);
    expect(decode(payload)).toEqual(rows);
    expect(payload.length).toBeLessThan(1.2 * rows.length);
  });

  it('is not made without an event', () => {
    expect(encodeMixBlock(emptyColumns())).toBeUndefined();
  });

  it('is not made of events that would take a reader too long', () => {
    let state = 1;
    const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) | 0);
    const rows = Array.from({ length: 2000 }, (_, i): Row => [i * 1e6, KIND.move, random(), random(), 0, 0]);
    expect(encodeMixBlock(columnsOf(rows))).toBeUndefined();
  });
});

describe('the bytes of a mixed block', () => {
  const rows = deskRows(1500, 3);
  const digest = createHash('sha256').update(encode(rows)).digest('hex');

  it('are the same as ever', () => {
    expect(digest).toBe('fd396086b9beae2fc9c6ce8188a2a579e7afdc420966ad8326846128fb9b91b9');
  });

  it.each([['--no-opt'], ['--always-sparkplug']])('are the same with node %s', (flag) => {
    const child = join(import.meta.dirname, 'mix-child.ts');
    expect(execFileSync(process.execPath, [flag, child], { encoding: 'utf8' })).toBe(digest);
  });
});
