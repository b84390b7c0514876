import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KIND } from '../../src/core/events.ts';
import { encodeLoss } from '../../src/segment/marks.ts';
import { readSegment } from '../../src/segment/read.ts';
import { sealSegment } from '../../src/segment/seal.ts';
import { anyRows, asRead, concat, deskRows, HEADER, journalOf, type Row, rowsOf } from './samples.ts';

/** Recordings lie beside a checkout where there are any. */
const RECORDINGS = join(import.meta.dirname, '../../../shared/data');

describe('sealing with the smallest file as the aim', () => {
  const rows = deskRows(2000);
  const journal = concat(
    journalOf(rows.slice(0, 900), rows.slice(900)),
    encodeLoss({ thinned: 5, redacted: 0, dropped: 0 }),
  );

  it('mixes, and keeps all that the journal has', () => {
    const { bytes, footer } = sealSegment(journal, 'smallest');
    const sealed = readSegment(bytes);
    expect(rowsOf(sealed.columns)).toEqual(asRead(rows));
    expect(sealed).toMatchObject({
      header: { ...HEADER, codec: 'columns-mix' },
      loss: { thinned: 5 },
      footer: { events: 2000, firstMonoMs: rows[0]?.[0], lastMonoMs: rows.at(-1)?.[0] },
      tornBytes: 0,
    });
    expect(footer.events).toBe(2000);
    expect(bytes.length).toBeLessThan(0.7 * sealSegment(journal).bytes.length);
    expect(sealSegment(journal.slice(), 'smallest').bytes).toEqual(bytes);
  });

  it('is not done unless it is asked for', () => {
    expect(sealSegment(journal).header.codec).toBe('columns-brotli');
    expect(sealSegment(journal, 'quick').bytes).toEqual(sealSegment(journal).bytes);
  });

  it('keeps the other codec where that is smaller', () => {
    // The same twenty events over and over, which only a search for repeated ones finds.
    const noise = deskRows(400, 7).slice(0, 20);
    const repeated = Array.from({ length: 6000 }, (_, i): Row => {
      const [, , x, y] = noise[i % 20] ?? [0, 0, 0, 0, 0, 0];
      return [10 * i, KIND.move, x * ((i % 20) + 1) * 37, y * ((i * 7) % 20) * 91, 0, 0];
    });
    const sealed = sealSegment(journalOf(repeated), 'smallest');
    expect(sealed.header.codec).toBe('columns-brotli');
    expect(sealed.bytes).toEqual(sealSegment(journalOf(repeated)).bytes);
    expect(rowsOf(readSegment(sealed.bytes).columns)).toEqual(repeated);
  });

  it('works without any event', () => {
    expect(sealSegment(journalOf(), 'smallest').bytes).toEqual(sealSegment(journalOf()).bytes);
  });

  it('is never larger, and gives back whatever was written, from any number of blocks', () => {
    const holds = fc.property(anyRows, fc.nat(), (all, cutAt) => {
      const cut = all.length === 0 ? 0 : cutAt % all.length;
      const blocks = journalOf(all.slice(0, cut), all.slice(cut));
      const sealed = sealSegment(blocks, 'smallest').bytes;
      expect(rowsOf(readSegment(sealed).columns)).toEqual(asRead(all));
      expect(sealed.length).toBeLessThanOrEqual(sealSegment(blocks).bytes.length);
    });
    fc.assert(holds, { numRuns: 100 });
  });

  it.for([
    ['ducktrack-mouse-400hz.csv', 0.37],
    ['evlag-game-mouse-keys.csv', 0.54],
  ] as const)('makes of the recording %s at most %f bytes an event', ([name, limit], { skip }) => {
    if (!existsSync(join(RECORDINGS, name))) return skip('the recordings are not beside this checkout');
    const lines = readFileSync(join(RECORDINGS, name), 'utf8').trim().split('\n').slice(1);
    const recorded = lines.map((line): Row => {
      const [tUs = 0, kind = 0, x = 0, y = 0, a = 0, b = 0] = line.split(',').map(Number);
      return [Math.floor(tUs / 1000), kind === 6 ? 4 : kind, x, y, a, kind === 6 ? b | 8 : b];
    });
    const sealed = sealSegment(journalOf(recorded), 'smallest').bytes;
    expect(sealed.length / recorded.length).toBeLessThanOrEqual(limit);
    expect(rowsOf(readSegment(sealed).columns)).toEqual(asRead(recorded));
  });
});
