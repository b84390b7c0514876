import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TelemetryError } from '../../src/core/errors.ts';
import { KIND, packKeyDetail } from '../../src/core/events.ts';
import { encodeCandidates, encodeColumns } from '../../src/segment/columns-encode.ts';
import { readSegment } from '../../src/segment/read.ts';
import { sealSegment } from '../../src/segment/seal.ts';
import { anyRows, asRead, columnsOf, deskRows, hex, journalOf, type Row, rowsOf } from './samples.ts';

const bytesOf = (rows: readonly Row[]): Uint8Array => encodeColumns(columnsOf(rows), 0, rows.length);
const readRows = (bytes: Uint8Array): Row[] => rowsOf(readSegment(bytes).columns);

describe('the columns of a block', () => {
  it('hold a move in one byte and half a byte of time', () => {
    const rows: Row[] = [
      [1000, KIND.move, 10, 20, 0, 0],
      [1008, KIND.move, 12, 21, 0, 0],
      [1016, KIND.move, 14, 22, 0, 0],
      [1032, KIND.move, 13, 22, 0, 0],
    ];
    const expected = hex(
      '00 04', // x and y of an event together; four events
      'd0 0f 14 28', // from 1000 ms, at 10, 20
      '03 08 00 10', // palette: 8 ms twice; 0 and 16 once, the smaller first
      '04 00 42 00 51', // steps: still; +2 +1; as before; -3 -1 against the step before
      '02 10 02', // times: 0 8, 8 16
      '00 00 00 00 00 00', // nothing wide, no keys, no details
    );
    expect(bytesOf(rows)).toEqual(expected);
  });

  it('hold a code in place of a step for clicks, wheels and keys', () => {
    const ctrlC = packKeyDetail('text', false, 2);
    const rows: Row[] = [
      [0, KIND.down, 5, 5, 1, 0],
      [1, KIND.up, 5, 5, 1, 0],
      [2, KIND.wheel, 5, 5, 0, -1],
      [3, KIND.down, 6, 3, 2, 0],
      [4, KIND.keydown, 6, 3, 3, ctrlC],
      [4, KIND.keydown, 6, 3, 3, ctrlC | 8],
      [5, KIND.keyup, 6, 3, 3, ctrlC],
      [100, KIND.keydown, 6, 3, 0, 0],
    ];
    const expected = hex(
      '00 08 00 0a 0a',
      '02 01 00', // palette: 1 ms three times, 0 once
      '08 f0 f1 f3 f9 f4 fd fc fa', // left down and up, wheel up, other with motion, key, repeat, its end, masked
      '02 10 00', // times: 0 1, 1 1
      '00', // no wide times
      '01 02 01 03', // x +1, y -2
      '04 04 00 01 5f', // key times from 0: 4, 0, 1, 95
      '05 01 04 00 06 40', // details: kind 1, button 2, 0; key 3, Ctrl
      '00',
    );
    expect(bytesOf(rows)).toEqual(expected);
  });

  it('hold what is too large for half a byte in one, two or more bytes elsewhere', () => {
    const rows: Row[] = [
      [0, KIND.move, 0, 0, 0, 0],
      [1000, KIND.move, 7, 500, 0, 0],
      [990, KIND.move, 0, -3000, 0, 0],
    ];
    const expected = hex(
      '00 03 00 00 00',
      '01 00', // palette: 0
      '03 00 ee ee', // steps: still; both wide, twice
      '02 0f f0', // times: 0 wide, wide
      '02 f2 ff', // 1000 is 240 + 2 * 256 + 248; -10 is a varint
      '02 00 0d', // x: 14 is 14 + 0; -14 folds to 27, 14 + 13
      '02 f2 ff', // y: 1000 less 14 is 240 + 2 * 256 + 234; -4000 folds to 7999, too large for two bytes
      '00 00',
      '05 f8 ea 13 e2 7c', // the rest of those, in the order of the events
    );
    expect(bytesOf(rows)).toEqual(expected);
    expect(readRows(journalOf(rows))).toEqual(rows);
  });

  it('give back whatever was written', () => {
    const holds = fc.property(anyRows, (rows) => {
      expect(readRows(journalOf(rows))).toEqual(asRead(rows));
      expect(readRows(sealSegment(journalOf(rows)).bytes)).toEqual(asRead(rows));
    });
    fc.assert(holds, { numRuns: 150 });
  });

  it('give back the same from several blocks as from one, and each block decodes alone', () => {
    const holds = fc.property(anyRows, fc.nat(), (rows, cutAt) => {
      const cut = rows.length === 0 ? 0 : cutAt % rows.length;
      const journal = journalOf(rows.slice(0, cut), rows.slice(cut));
      expect(readRows(journal)).toEqual(asRead(rows));
      expect(readRows(journalOf(rows.slice(cut)))).toEqual(asRead(rows.slice(cut)));
    });
    fc.assert(holds, { numRuns: 100 });
  });

  it('encode a part of longer columns as if it were all', () => {
    const rows = deskRows(300);
    expect(encodeColumns(columnsOf(rows), 100, 250)).toEqual(bytesOf(rows.slice(100, 250)));
  });

  it('round absolute times, so that fractions never add up', () => {
    const rows = Array.from({ length: 1000 }, (_, i): Row => [i * 1.4, KIND.move, 0, 0, 0, 0]);
    expect(readRows(journalOf(rows)).at(-1)?.[0]).toBe(Math.round(999 * 1.4));
  });

  it('are paired along the columns only where that may help', () => {
    const rows = (next: (i: number) => readonly [x: number, y: number]): Row[] =>
      Array.from({ length: 4000 }, (_, i) => [2 * i, KIND.move, ...next(i), 0, 0]);
    const steady = rows((i) => [i + ((i >> 1) & 1), (i >> 1) + ((i >> 3) & 1)]);
    const diagonal = rows((i) => [(i * i * 7919) % 11, (i * i * 7919) % 11]);
    expect(encodeCandidates(columnsOf(steady)).map((body) => body[0])).toEqual([0, 1]);
    expect(encodeCandidates(columnsOf(diagonal)).map((body) => body[0])).toEqual([0]);
  });

  it.each<[string, Row]>([
    ['no number as its time', [NaN, KIND.move, 0, 0, 0, 0]],
    ['a time of 2^53', [2 ** 53, KIND.move, 0, 0, 0, 0]],
    ['a kind that is not known', [0, 6, 0, 0, 0, 0]],
  ])('refuse to be written with %s', (_, row) => {
    expect(() => bytesOf([row])).toThrow(TelemetryError);
  });
});
