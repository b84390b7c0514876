import fc from 'fast-check';
import { type EventColumns, emptyColumns, KIND } from '../../src/core/events.ts';
import { encodeBlock } from '../../src/segment/block.ts';
import { encodeHeader } from '../../src/segment/header.ts';
import type { SegmentHeader } from '../../src/segment/types.ts';

export const HEADER: SegmentHeader = {
  formatVersion: 1,
  codec: 'raw',
  timeUnitMs: 1,
  segmentId: '0192a000-0000-7000-8000-0000000000aa',
  device: 'c0ffee00-0000-4000-8000-000000000001',
  sequence: 7,
  startWallMs: 1_760_000_000_000,
  originMonoMs: 5_000,
  zoneOffsetMinutes: -210,
  platform: 'linux-x64',
  backend: 'x11',
  coordinates: 'absolute',
  screens: [{ x: 0, y: 0, width: 1920, height: 1080, scale: 1.25 }],
  redaction: 'shortcuts',
  policyId: '0123456789abcdef',
  receiptId: '',
  schemaVersion: 1,
  simulated: false,
};

/** One event: t, kind, x, y, a, b. */
export type Row = readonly [t: number, kind: number, x: number, y: number, a: number, b: number];

export function columnsOf(rows: readonly Row[]): EventColumns {
  const columns = { ...emptyColumns(rows.length), count: rows.length };
  rows.forEach(([t, kind, x, y, a, b], i) => {
    columns.t[i] = t;
    columns.kind[i] = kind;
    columns.x[i] = x;
    columns.y[i] = y;
    columns.a[i] = a;
    columns.b[i] = b;
  });
  return columns;
}

export function rowsOf(columns: EventColumns): Row[] {
  const at = (column: ArrayLike<number>, i: number): number => column[i] ?? NaN;
  return Array.from({ length: columns.count }, (_, i) => [
    at(columns.t, i),
    at(columns.kind, i),
    at(columns.x, i),
    at(columns.y, i),
    at(columns.a, i),
    at(columns.b, i),
  ]);
}

/** What a reader gives for what was written: whole milliseconds; keys where the pointer was. */
export function asRead(rows: readonly Row[]): Row[] {
  let x = rows[0]?.[2] ?? 0;
  let y = rows[0]?.[3] ?? 0;
  return rows.map(([t, kind, rowX, rowY, a, b]) => {
    if (kind < KIND.keydown) [x, y] = [rowX, rowY];
    // Adding zero turns -0 into 0; a stored time has no sign of zero.
    return [Math.round(t) + 0, kind, x, y, a, b];
  });
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** A journal with a block for each of `blocks`. */
export function journalOf(...blocks: readonly (readonly Row[])[]): Uint8Array {
  return concat(encodeHeader(HEADER), ...blocks.map((rows) => encodeBlock(columnsOf(rows), 0, rows.length)));
}

/** A hand at 125 Hz that moves in curves, clicks, scrolls and types a masked word; the same for the same `seed`. */
export function deskRows(count: number, seed = 1, stepMs = 8): Row[] {
  const rows: Row[] = [];
  let state = seed;
  const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  let t = 10_000;
  let [x, y] = [900, 500];
  while (rows.length < count) {
    const [angle, speed, length] = [random() * 6.3, 2 + random() * 18, 10 + Math.floor(random() * 50)];
    for (let i = 0; i < length; i++) {
      t += stepMs + (random() < 0.1 ? 1 : 0);
      const now = speed * Math.sin((Math.PI * (i + 1)) / length);
      x += Math.round(Math.cos(angle + i / 60) * now);
      y += Math.round(Math.sin(angle + i / 60) * now);
      rows.push([t, KIND.move, x, y, 0, 0]);
    }
    t += 120 + Math.floor(random() * 900);
    if (random() < 0.5) rows.push([t, KIND.down, x, y, 1, 0], [t + 90, KIND.up, x, y, 1, 0]);
    else if (random() < 0.5) rows.push([t, KIND.wheel, x, y, 0, 1], [t + 40, KIND.wheel, x, y, 0, 1]);
    else {
      t = Math.ceil(t / 100) * 100;
      for (let i = 0; i < 5; i++, t += 200)
        rows.push([t, KIND.keydown, x, y, 0, 0], [t, KIND.keyup, x, y, 0, 0]);
    }
    t += 200 + Math.floor(random() * 3000);
  }
  return rows.slice(0, count);
}

const int32 = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -40, max: 2000 }) },
  { weight: 1, arbitrary: fc.integer() },
  { weight: 1, arbitrary: fc.constantFrom(-(2 ** 31), 2 ** 31 - 1) },
);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 1, arbitrary: fc.integer({ min: -200, max: 100_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }) },
  { weight: 1, arbitrary: fc.double({ min: 0, max: 50, noNaN: true }) },
);
const small = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: -1, max: 3 }) },
  { weight: 2, arbitrary: int32 },
);

/** Any events, likely ones and absurd ones. */
export const anyRows: fc.Arbitrary<Row[]> = fc
  .array(fc.tuple(step, fc.integer({ min: 0, max: 5 }), int32, int32, small, small, fc.boolean()), {
    maxLength: 60,
  })
  .map((items) => {
    let t = 1000;
    let [x, y] = [0, 0];
    return items.map(([stepMs, kind, itemX, itemY, a, b, isStill]): Row => {
      t += stepMs;
      if (!isStill) [x, y] = [itemX, itemY];
      return [t, kind, x, y, a, b];
    });
  });

/** Bytes written as pairs of hexadecimal digits, spaces anywhere. */
export function hex(...lines: readonly string[]): Uint8Array {
  return new Uint8Array(Buffer.from(lines.join('').replaceAll(' ', ''), 'hex'));
}
