import { groupedCount } from '../../core/amounts.ts';
import { formatDuration } from '../../core/duration.ts';
import { KIND } from '../../core/events.ts';
import { wallClock } from '../../segment/records.ts';
import type { Segment } from '../../segment/types.ts';

const MAX_ROWS = 15;
/** Of `2026-11-24 13:00`. */
const LABEL_COLUMNS = 16;
const BAR_COLUMNS = 8;
const SECOND_MS = 1000;
const DAY_MS = 86_400_000;
/** Lengths of time that people count in. */
const STEPS_MS = [1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600].map((s) => s * SECOND_MS);

/** What happened within one step. */
interface Slot {
  moves: number;
  clicks: number;
  notches: number;
  keys: number;
  awayMs: number;
}

/**
 * How busy a segment was over its time, a heading and at most 16 lines, oldest first: local time, a bar, and how
 * often what was done.
 * Steps in which nothing happened and no gap began are left out. Empty for a segment with neither.
 */
export function timeline(segment: Segment): string[] {
  const { columns, gaps } = segment;
  const toWall = wallClock(segment);
  const times = columns.t.subarray(0, columns.count).map(toWall);
  const gapTimes = gaps.map(({ startMonoMs }) => toWall(startMonoMs));
  const [first, last] = extent(times, gapTimes);
  if (first === undefined || last === undefined) return [];
  const stepMs = stepFor(last - first);
  const slots = new Map<number, Slot>();
  const slotAt = (wallMs: number): Slot => {
    const number = Math.floor(wallMs / stepMs);
    const slot = slots.get(number) ?? { moves: 0, clicks: 0, notches: 0, keys: 0, awayMs: 0 };
    slots.set(number, slot);
    return slot;
  };
  for (const [at, wallMs] of times.entries()) count(slotAt(wallMs), columns.kind[at] ?? 0);
  for (const [at, { startMonoMs, endMonoMs }] of gaps.entries()) {
    slotAt(gapTimes[at] ?? 0).awayMs += Math.max(0, endMonoMs - startMonoMs);
  }
  const most = Math.max(...[...slots.values()].map(total));
  const form = formFor(stepMs, last - first);
  const rows = [...slots.entries()]
    .sort(([a], [b]) => a - b)
    .map(([number, slot]) => line(clock(number * stepMs, form), bar(total(slot), most), cells(slot)));
  return [line('', '', ['moved', 'pressed', 'scrolled', 'keys', 'gap']), ...rows];
}

function extent(...lists: readonly ArrayLike<number>[]): [number | undefined, number | undefined] {
  let first: number | undefined;
  let last: number | undefined;
  for (const list of lists) {
    for (let at = 0; at < list.length; at++) {
      const value = list[at] ?? 0;
      if (first === undefined || value < first) first = value;
      if (last === undefined || value > last) last = value;
    }
  }
  return [first, last];
}

/** A file may say any time: spans beyond days get a step of their own. */
function stepFor(spanMs: number): number {
  const found = STEPS_MS.find((stepMs) => spanMs / stepMs <= MAX_ROWS);
  return found ?? Math.ceil(spanMs / MAX_ROWS / DAY_MS) * DAY_MS;
}

function count(slot: Slot, kind: number): void {
  if (kind === KIND.move) slot.moves++;
  else if (kind === KIND.down) slot.clicks++;
  else if (kind === KIND.wheel) slot.notches++;
  else if (kind === KIND.keydown) slot.keys++;
}

function total({ moves, clicks, notches, keys }: Slot): number {
  return moves + clicks + notches + keys;
}

function bar(value: number, most: number): string {
  const length = value === 0 ? 0 : Math.max(1, Math.round((BAR_COLUMNS * value) / most));
  return '#'.repeat(length);
}

/** Empty where there is nothing to say. */
function cells({ moves, clicks, notches, keys, awayMs }: Slot): string[] {
  const counts = [moves, clicks, notches, keys].map((value) => (value === 0 ? '' : groupedCount(value)));
  return [...counts, awayMs === 0 ? '' : formatDuration(awayMs)];
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
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
  switch (form) {
    case 'seconds':
      return `${minutes}:${two(date.getSeconds())}`;
    case 'minutes':
      return minutes;
    case 'days and minutes':
      return `${day} ${minutes}`;
    case 'days':
      return day;
  }
}
