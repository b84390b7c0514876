import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { encodeHeader } from '../../src/segment/header.ts';
import { readSegment } from '../../src/segment/read.ts';
import { eventRecords } from '../../src/segment/records.ts';
import { sealSegment } from '../../src/segment/seal.ts';
import { asRead, deskRows, HEADER, journalOf, type Row, rowsOf } from './samples.ts';

/** Recordings lie beside a checkout where there are any. */
const RECORDINGS = join(import.meta.dirname, '../../../shared/data');

/** A recording's events; keys happen where the pointer is, key repeats become keydowns. */
function recordingRows(name: string): Row[] {
  const lines = readFileSync(join(RECORDINGS, name), 'utf8').trim().split('\n').slice(1);
  let [px, py] = [0, 0];
  return lines.map((line): Row => {
    const [tUs = 0, kind = 0, x = 0, y = 0, a = 0, b = 0] = line.split(',').map(Number);
    if (kind < 4) [px, py] = [x, y];
    return [Math.floor(tUs / 1000), kind === 6 ? 4 : kind, px, py, a, kind === 6 ? b | 8 : b];
  });
}

function blocksOf(rows: readonly Row[]): Row[][] {
  return [...Map.groupBy(rows, ([t]) => Math.floor(t / 5000)).values()];
}

describe('a sealed file', () => {
  it.for([
    ['ducktrack-mouse-400hz.csv', 0.53],
    ['evlag-game-mouse-keys.csv', 0.74],
  ] as const)('of the recording %s has at most %f bytes an event', ([name, limit], { skip }) => {
    if (!existsSync(join(RECORDINGS, name))) return skip('the recordings are not beside this checkout');
    const rows = recordingRows(name);
    const sealed = sealSegment(journalOf(...blocksOf(rows))).bytes;
    expect(sealed.length / rows.length).toBeLessThanOrEqual(limit);
    expect(rowsOf(readSegment(sealed).columns)).toEqual(asRead(rows));
  });

  it('of generated motion has less than a fifth of JSON lines + gzip', () => {
    const journal = journalOf(...blocksOf(deskRows(5000)));
    const lines = [...eventRecords(readSegment(journal))].map((record) => JSON.stringify(record)).join('\n');
    expect(sealSegment(journal).bytes.length).toBeLessThan(gzipSync(lines, { level: 6 }).length / 5);
  });

  it('has at most 300 bytes beside its events', () => {
    const { bytes } = sealSegment(encodeHeader(HEADER));
    expect(bytes.length).toBeLessThanOrEqual(300);
  });
});
