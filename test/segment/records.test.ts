import { describe, expect, it } from 'vitest';
import { KIND, MADE_UP, packKeyDetail } from '../../src/core/events.ts';
import { keyId } from '../../src/core/keys.ts';
import { encodeClockSync } from '../../src/segment/marks.ts';
import { readSegment } from '../../src/segment/read.ts';
import { eventRecords } from '../../src/segment/records.ts';
import { concat, HEADER, journalOf, type Row } from './samples.ts';

/** Milliseconds since the epoch of a monotonic time, by the header alone. */
const wall = (monoMs: number): number => HEADER.startWallMs + monoMs - HEADER.originMonoMs;
const recordsOf = (journal: Uint8Array): unknown[] => [...eventRecords(readSegment(journal))];

describe('event records', () => {
  it('have the fields of the public contract for every kind', () => {
    const rows: Row[] = [
      [6000, KIND.move, 10, 20, 0, 0],
      [6001, KIND.down, 10, 20, 1, 0],
      [6002, KIND.up, 10, 20, 9, 0],
      [6003, KIND.wheel, 10, 20, -1, 3],
      [6004, KIND.keydown, 10, 20, keyId('KeyC'), packKeyDetail('text', false, 2 | 8)],
      [6005, KIND.keydown, 10, 20, keyId('ArrowLeft'), packKeyDetail('navigation', true, 0)],
      [6100, KIND.keyup, 10, 20, 0, 0],
    ];
    expect(recordsOf(journalOf(rows))).toEqual([
      { t: wall(6000), kind: 'move', x: 10, y: 20 },
      { t: wall(6001), kind: 'down', x: 10, y: 20, button: 'left' },
      { t: wall(6002), kind: 'up', x: 10, y: 20, button: '9' },
      { t: wall(6003), kind: 'wheel', x: 10, y: 20, dx: -1, dy: 3 },
      { t: wall(6004), kind: 'keydown', x: 10, y: 20, key: 'KeyC', class: 'text', mods: ['ctrl', 'meta'] },
      { t: wall(6005), kind: 'keydown', x: 10, y: 20, key: 'ArrowLeft', class: 'navigation', repeat: true },
      { t: wall(6100), kind: 'keyup', x: 10, y: 20, class: 'text' },
    ]);
  });

  it('tell a release that nobody saw', () => {
    const rows: Row[] = [
      [6000, KIND.up, 10, 20, 1, MADE_UP],
      [6000, KIND.keyup, 10, 20, keyId('Enter'), packKeyDetail('edit', false, 0) | MADE_UP],
    ];
    expect(recordsOf(journalOf(rows))).toEqual([
      { t: wall(6000), kind: 'up', x: 10, y: 20, button: 'left', synthetic: true },
      { t: wall(6000), kind: 'keyup', x: 10, y: 20, key: 'Enter', class: 'edit', synthetic: true },
    ]);
  });

  it('take their time from the last clock frame before them', () => {
    const rows: Row[] = [5500, 6000, 6999, 7000, 8000].map((t) => [t, KIND.move, 1, 1, 0, 0]);
    const journal = concat(
      journalOf(rows),
      encodeClockSync({ monoMs: 7000, wallMs: wall(7000) - 3_600_000 }),
      encodeClockSync({ monoMs: 6000, wallMs: wall(6000) + 40 }),
    );
    const times = [...eventRecords(readSegment(journal))].map((record) => record.t);
    expect(times).toEqual([
      wall(5500),
      wall(6000) + 40,
      wall(6999) + 40,
      wall(7000) - 3_600_000,
      wall(8000) - 3_600_000,
    ]);
  });
});
