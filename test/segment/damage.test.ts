import { describe, expect, it } from 'vitest';
import { TelemetryError } from '../../src/core/errors.ts';
import { encodeGap } from '../../src/segment/marks.ts';
import { readSegment } from '../../src/segment/read.ts';
import { sealSegment } from '../../src/segment/seal.ts';
import { asRead, concat, deskRows, journalOf, rowsOf } from './samples.ts';

const ROWS = deskRows(90);
const BLOCKS = [ROWS.slice(0, 30), ROWS.slice(30, 31), ROWS.slice(31)];
const gapFrame = encodeGap({ kind: 'asleep', startMonoMs: 10, endMonoMs: 20 });
const JOURNAL = concat(journalOf(...BLOCKS), gapFrame);
/** Offsets after the header and after each block: up to here that many blocks are whole. */
const ENDS = [0, 1, 2, 3].map((count) => journalOf(...BLOCKS.slice(0, count)).length);
const SEALED = sealSegment(JOURNAL).bytes;

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = bytes.slice();
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}

describe('a journal cut at any byte', () => {
  it('gives every complete block and says how many bytes are not', () => {
    for (let length = ENDS[0] ?? 0; length <= JOURNAL.length; length++) {
      const segment = readSegment(JOURNAL.subarray(0, length));
      const whole = ENDS.filter((end) => end <= length).length - 1;
      expect(rowsOf(segment.columns)).toEqual(asRead(BLOCKS.slice(0, whole).flat()));
      const end = length === JOURNAL.length ? length : (ENDS[whole] ?? 0);
      expect(segment.tornBytes).toBe(length - end);
      expect(segment.gaps).toHaveLength(length === JOURNAL.length ? 1 : 0);
      expect(segment.footer).toBeNull();
    }
  });

  it('seals to the complete blocks', () => {
    for (let length = ENDS[0] ?? 0; length <= JOURNAL.length; length += 7) {
      const segment = readSegment(sealSegment(JOURNAL.subarray(0, length)).bytes);
      expect(segment.columns.count).toBe(readSegment(JOURNAL.subarray(0, length)).columns.count);
    }
  });

  it('is an error when it has no whole header', () => {
    for (let length = 0; length < (ENDS[0] ?? 0); length++) {
      expect(() => readSegment(JOURNAL.subarray(0, length))).toThrow(TelemetryError);
    }
  });
});

describe('any one wrong bit', () => {
  it('in a sealed file is an error', () => {
    for (let bit = 0; bit < SEALED.length * 8; bit++) {
      expect(() => readSegment(flip(SEALED, bit)), `bit ${bit}`).toThrow(/Not a sound segment file/);
    }
  });

  it('in a journal is an error or shows as a torn end, and no event is wrong', () => {
    const expected = asRead(ROWS);
    for (let bit = 0; bit < JOURNAL.length * 8; bit++) {
      const flipped = flip(JOURNAL, bit);
      if (bit >> 3 < (ENDS[0] ?? 0)) {
        expect(() => readSegment(flipped)).toThrow(/Not a sound segment file/);
        continue;
      }
      const segment = readSegment(flipped);
      expect(segment.tornBytes).toBeGreaterThan(0);
      expect(rowsOf(segment.columns)).toEqual(expected.slice(0, segment.columns.count));
    }
  });
});

describe('a sealed file', () => {
  it('is an error when it is cut, at any byte', () => {
    for (let length = 0; length < SEALED.length; length++) {
      expect(() => readSegment(SEALED.subarray(0, length))).toThrow(/Not a sound segment file/);
    }
  });

  it('is an error when something follows its footer', () => {
    expect(() => readSegment(concat(SEALED, gapFrame))).toThrow(/damaged or cut short/);
    expect(() => readSegment(concat(SEALED, Uint8Array.of(0)))).toThrow(/damaged or cut short/);
  });
});
