import type { CollectionName } from '../../core/collection.ts';
import type { HistoryCost, HistoryLine } from '../../spool/history-file.ts';

/** What the daemon was doing; `unknown` where nothing says. */
export type ReportState = CollectionName | 'asleep' | 'unknown';

/** A stretch in one state. Milliseconds since the epoch. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
  readonly state: ReportState;
}

/** What one hour cost. */
export interface HourCost {
  readonly hour: number;
  readonly cpuPercent: number;
  readonly wakeupsPerMinute: number;
  readonly rssBytes: number;
}

const HOUR_MS = 3_600_000;

/**
 * The time from `sinceMs` to `nowMs` as stretches without a gap, from the daemon's history. Before its first line, and
 * from the last word of a daemon that ended without saying so, the state is `unknown`: nothing is guessed.
 */
export function stretchesOf(
  lines: Iterable<HistoryLine>,
  {
    sinceMs,
    nowMs,
    isRunning,
  }: { readonly sinceMs: number; readonly nowMs: number; readonly isRunning: boolean },
): Stretch[] {
  const found: Stretch[] = [];
  let state: ReportState = 'unknown';
  let fromMs = -Infinity;
  let heardMs = -Infinity;
  const close = (toMs: number): void => {
    const stretch = { fromMs: Math.max(fromMs, sinceMs), toMs: Math.min(toMs, nowMs), state };
    if (stretch.toMs > stretch.fromMs) found.push(stretch);
    fromMs = toMs;
  };
  for (const line of lines) {
    // A clock that was set back would make stretches of negative length.
    const at = Math.max(line.at, heardMs);
    if ('state' in line) {
      const endedUnheard = line.isStart === true && state !== 'stopped';
      if (endedUnheard) {
        close(heardMs);
        state = 'unknown';
      }
      close(at);
      state = line.state;
    }
    heardMs = at;
  }
  if (!isRunning && state !== 'stopped') {
    close(heardMs);
    state = 'unknown';
  }
  close(nowMs);
  return found;
}

/** Costs by the hour in which they were written down, in order of time. */
export function costByHour(lines: Iterable<HistoryCost>, sinceMs: number): HourCost[] {
  const sums = new Map<number, { overMs: number; cpuSeconds: number; wakeups: number; rssBytes: number }>();
  for (const line of lines) {
    // Of the few seconds of a start nothing can be said per minute.
    if (line.at < sinceMs || line.overMs < LEAST_MS) continue;
    const hour = Math.floor((line.at - 1) / HOUR_MS);
    const sum = sums.get(hour) ?? { overMs: 0, cpuSeconds: 0, wakeups: 0, rssBytes: 0 };
    sums.set(hour, sum);
    sum.overMs += line.overMs;
    sum.cpuSeconds += line.cpuSeconds;
    sum.wakeups += line.wakeups;
    sum.rssBytes = Math.max(sum.rssBytes, line.rssBytes);
  }
  return [...sums]
    .sort(([a], [b]) => a - b)
    .map(([hour, { overMs, cpuSeconds, wakeups, rssBytes }]) => ({
      hour,
      cpuPercent: (cpuSeconds / overMs) * 100_000,
      wakeupsPerMinute: (wakeups / overMs) * 60_000,
      rssBytes,
    }));
}

const LEAST_MS = 10_000;
