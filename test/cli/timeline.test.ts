import { describe, expect, it } from 'vitest';
import { segmentPage } from '../../src/cli/text/segment-page.ts';
import { timeline } from '../../src/cli/text/timeline.ts';
import { encodeBlock } from '../../src/segment/block.ts';
import { encodeHeader } from '../../src/segment/header.ts';
import { encodeGap } from '../../src/segment/marks.ts';
import { type OpenedSegment, openSegment } from '../../src/segment/open-segment.ts';
import { columnsOf, concat, deskRows, HEADER, type Row } from '../segment/samples.ts';
import { journal } from './segments.ts';

process.env['TZ'] = 'UTC';

function opened(
  rows: readonly Row[],
  startWallMs = Date.parse('2026-11-24T13:00:00Z'),
): Promise<OpenedSegment> {
  const header = encodeHeader({ ...HEADER, startWallMs, originMonoMs: 0 });
  return openSegment(concat(header, encodeBlock(columnsOf(rows), 0, rows.length)));
}

describe('the timeline of a segment', () => {
  it('says when what was done and where nothing was recorded', async () => {
    expect(timeline(await openSegment(journal()))).toEqual([
      '                             moved pressed scrolled   keys  gap',
      '13:00:00         ########        1       1        1      1',
      '13:00:05                                                    30s',
      '13:01:00         ##                                      1',
    ]);
  });

  it.each([10, 1000, 20_000])('has a screen’s worth of lines at most, for %i events', async (count) => {
    const lines = timeline(await opened(deskRows(count)));
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.length).toBeLessThanOrEqual(17);
    const moved = lines.slice(1).map((line) => Number(line.slice(25, 34).replaceAll(',', '')));
    expect(moved.reduce((sum, value) => sum + value, 0)).toBe(
      deskRows(count).filter(([, kind]) => kind === 0).length,
    );
  });

  it('counts days where a file says days, and stays short and readable whatever it says', async () => {
    const day = 86_400_000;
    const labels = async (days: readonly number[]): Promise<string[]> => {
      const lines = timeline(await opened(days.map((number): Row => [number * day, 0, 1, 1, 0, 0])));
      return lines.slice(1).map((line) => line.slice(0, 16).trim());
    };
    expect(await labels([1, 3])).toEqual(['2026-11-25 12:00', '2026-11-27 12:00']);
    expect(await labels([0, 10, 14])).toEqual(['2026-11-24', '2026-12-04', '2026-12-08']);
    expect((await labels([0, 1e7])).length).toBe(2);
    const absurd = await opened(
      [-(2 ** 49), 0, 2 ** 49].map((t): Row => [t, 0, 1, 1, 0, 0]),
      2 ** 50,
    );
    expect(timeline(absurd).length).toBeLessThanOrEqual(17);
    expect(segmentPage('a.tlm', { segment: absurd, sizeBytes: 100, sha256: '' })).toContain('began +');
  });

  it('is empty for a segment with nothing in it, and shows one with nothing but gaps', async () => {
    expect(timeline(await opened([]))).toEqual([]);
    const gap = encodeGap({ kind: 'stopped', startMonoMs: 5000, endMonoMs: 65_000 });
    expect(timeline(await openSegment(concat(encodeHeader(HEADER), gap)))).toHaveLength(2);
  });
});
