import type { EventColumns } from '../core/events.ts';
import { selectColumns } from '../core/slice-columns.ts';
import { wallClock } from './records.ts';
import type { Gap, Segment } from './types.ts';

/** A stretch of wall-clock time, milliseconds since the epoch, both ends included; `Infinity` for no end. */
export interface Span {
  readonly fromWallMs: number;
  readonly untilWallMs: number;
}

/** What a cut left, and how many events it took. */
export interface CutSegment {
  readonly segment: Segment;
  readonly removed: number;
}

/**
 * A segment without the events that happened in the spans: every other event stays as it was, in its order, and each run
 * of removed ones leaves a gap of kind `withheld` from the event before it to the one after it, which says of the times
 * between nothing but that. Header, clocks and loss counts stay. Nothing is copied when nothing is removed.
 */
export function cutSegment(segment: Segment, spans: readonly Span[]): CutSegment {
  const kept = keptEvents(segment, spans);
  const removed = segment.columns.count - kept.length;
  if (removed === 0) return { segment, removed };
  const gaps = [...segment.gaps, ...gapsBetween(segment, kept)].sort((a, b) => a.startMonoMs - b.startMonoMs);
  const columns = selectColumns(segment.columns, kept);
  return { segment: { ...segment, columns, gaps, footer: null, tornBytes: 0 }, removed };
}

/** Indexes of the events that happened in none of the spans. */
function keptEvents(segment: Segment, spans: readonly Span[]): number[] {
  const toWall = wallClock(segment);
  const { count, t } = segment.columns;
  const kept: number[] = [];
  for (let i = 0; i < count; i++) {
    const wallMs = toWall(t[i] ?? 0);
    if (!spans.some(({ fromWallMs, untilWallMs }) => wallMs >= fromWallMs && wallMs <= untilWallMs))
      kept.push(i);
  }
  return kept;
}

/** One gap for each run of removed events. At either end of the segment it ends where the segment does. */
function gapsBetween({ columns, header }: Segment, kept: readonly number[]): Gap[] {
  const gaps: Gap[] = [];
  let before = -1;
  for (const next of [...kept, columns.count]) {
    if (next > before + 1) {
      const startMonoMs =
        before < 0 ? Math.min(header.originMonoMs, timeAt(columns, 0)) : timeAt(columns, before);
      const endMonoMs = timeAt(columns, Math.min(next, columns.count - 1));
      gaps.push({ kind: 'withheld', startMonoMs, endMonoMs });
    }
    before = next;
  }
  return gaps;
}

function timeAt(columns: EventColumns, index: number): number {
  return columns.t[index] ?? 0;
}
