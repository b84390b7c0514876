import { groupedCount } from '../../core/amounts.ts';
import { formatDuration } from '../../core/duration.ts';
import type { OpenedSegment } from '../../segment/open-segment.ts';
import type { Segment } from '../../segment/types.ts';
import { Activity, inLongerSteps, type Slot } from '../activity.ts';
import { localDay, localMinutes, localSeconds } from './moments.ts';

const SEGMENT_ROWS = 15;
/** Of `2026-11-24 13:00`. */
const LABEL_COLUMNS = 16;
const BAR_COLUMNS = 8;
const SECOND_MS = 1000;
const DAY_MS = 86_400_000;
/** Lengths of time that people count in. */
const STEPS_MS = [1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600].map((s) => s * SECOND_MS);

/** How busy a segment was over its time: {@link timelineRows} in at most 16 lines. */
export function timeline(segment: Pick<OpenedSegment, 'events'> & Segment): string[] {
  const activity = new Activity(SECOND_MS);
  activity.add(segment);
  return timelineRows(activity, SEGMENT_ROWS, false);
}

/**
 * How busy a time was, a heading and at most one line more than `maxRows`, oldest first: local time, a bar, how often
 * what was done, and how long nothing was recorded (and why, as far as a segment says). Steps in which nothing happened and no gap began are left out.
 * Empty for a time with neither. The activity must have steps of a second, or of a minute for more than some hours.
 */
export function timelineRows(
  { slots: counted, stepMs: shortMs, extentMs }: Activity,
  maxRows: number,
  saysWhy = true,
): string[] {
  if (extentMs === null) return [];
  const spanMs = extentMs.last - extentMs.first;
  const stepMs = Math.max(shortMs, stepFor(spanMs, maxRows));
  const slots = inLongerSteps(counted, stepMs / shortMs);
  const most = Math.max(...[...slots.values()].map(total));
  const form = formFor(stepMs, spanMs);
  const rows = [...slots.entries()]
    .sort(([a], [b]) => a - b)
    .map(([number, slot]) =>
      line(clock(number * stepMs, form), bar(total(slot), most), cells(slot, saysWhy)),
    );
  return [line('', '', ['moved', 'pressed', 'scrolled', 'keys', 'gap']), ...rows];
}

/** A file may say any time: spans beyond days get a step of their own. */
function stepFor(spanMs: number, maxRows: number): number {
  const found = STEPS_MS.find((stepMs) => spanMs / stepMs <= maxRows);
  return found ?? Math.ceil(spanMs / maxRows / DAY_MS) * DAY_MS;
}

function total({ moves, clicks, notches, keys }: Slot): number {
  return moves + clicks + notches + keys;
}

function bar(value: number, most: number): string {
  const length = value === 0 ? 0 : Math.max(1, Math.round((BAR_COLUMNS * value) / most));
  return '#'.repeat(length);
}

/** Empty where there is nothing to say. */
function cells({ moves, clicks, notches, keys, awayMs, away }: Slot, saysWhy: boolean): string[] {
  const counts = [moves, clicks, notches, keys].map((value) => (value === 0 ? '' : groupedCount(value)));
  return [...counts, awayMs === 0 ? '' : `${formatDuration(awayMs)}${saysWhy ? ` ${away ?? ''}` : ''}`];
}

function line(
  label: string,
  graph: string,
  [moved = '', pressed = '', scrolled = '', keys = '', gap = '']: string[],
): string {
  const counts = `${moved.padStart(9)}${pressed.padStart(8)}${scrolled.padStart(9)}${keys.padStart(7)}`;
  return `${label.padEnd(LABEL_COLUMNS)} ${graph.padEnd(BAR_COLUMNS)}${counts}  ${gap}`.trimEnd();
}

type ClockForm = 'seconds' | 'minutes' | 'days and minutes' | 'days';

function formFor(stepMs: number, spanMs: number): ClockForm {
  if (stepMs >= DAY_MS) return 'days';
  if (spanMs >= DAY_MS) return 'days and minutes';
  return stepMs < 60 * SECOND_MS ? 'seconds' : 'minutes';
}

function clock(wallMs: number, form: ClockForm): string {
  const date = new Date(wallMs);
  switch (form) {
    case 'seconds':
      return localSeconds(date);
    case 'minutes':
      return localMinutes(date);
    case 'days and minutes':
      return `${localDay(date)} ${localMinutes(date)}`;
    case 'days':
      return localDay(date);
  }
}
