import type { HealthRecord } from '../health-book.ts';

/**
 * Figures of fewer devices than this are not shown. Of one device they would be a person's: when they worked, and how
 * much. Five is the least that statistics offices publish of small groups; counts above are rounded to it, so that no
 * difference between two of them, or between two days, gives one away.
 */
export const LEAST_DEVICES = 5;

/** A number of devices as it may be shown. */
export interface DeviceCount {
  /** `0`, `under 5`, or a multiple of five. */
  readonly words: string;
  /** The same for a bar. */
  readonly size: number;
}

/** Rounds a number of devices. */
export function deviceCount(count: number): DeviceCount {
  if (count === 0) return { words: '0', size: 0 };
  if (count < LEAST_DEVICES) return { words: `under ${LEAST_DEVICES}`, size: LEAST_DEVICES / 2 };
  const size = Math.round(count / LEAST_DEVICES) * LEAST_DEVICES;
  return { words: String(size), size };
}

/** Devices of one kind. */
export interface Group {
  readonly name: string;
  readonly count: DeviceCount;
}

/** The fleet by what devices said of themselves. */
export interface FleetFigures {
  /** Of those heard of within {@link RECENT_DAYS}. */
  readonly versions: readonly Group[];
  readonly backends: readonly Group[];
  readonly faults: readonly Group[];
  readonly heard: readonly Group[];
  readonly recent: DeviceCount;
}

/** A laptop that is used every week says a word in it; a month covers holidays. */
const RECENT_DAYS = 30;
const WEEK_DAYS = 7;
const DAY_MS = 86_400_000;

/** Counts the fleet. What devices said long ago counts as heard of only: they may be gone. */
export function fleetFigures(records: readonly HealthRecord[], nowMs: number): FleetFigures {
  const ageDays = ({ day }: HealthRecord): number => (nowMs - Date.parse(day)) / DAY_MS;
  const recent = records.filter((record) => ageDays(record) < RECENT_DAYS + 1);
  const week = recent.filter((record) => ageDays(record) < WEEK_DAYS + 1);
  return {
    versions: groups(recent.map(({ version }) => version)).sort(byVersion),
    backends: groups(recent.map(({ backend }) => backend)),
    faults: groups(recent.flatMap(({ codes }) => codes)),
    heard: [
      { name: `in the last ${WEEK_DAYS} days`, count: deviceCount(week.length) },
      { name: `before, in the last ${RECENT_DAYS} days`, count: deviceCount(recent.length - week.length) },
      { name: 'longer ago', count: deviceCount(records.length - recent.length) },
    ],
    recent: deviceCount(recent.length),
  };
}

/** The largest first; of one size by name, so that their order tells nothing more. */
function groups(names: readonly string[]): Group[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .map(([name, count]) => ({ name, count: deviceCount(count) }))
    .sort((a, b) => b.count.size - a.count.size || (a.name < b.name ? -1 : 1));
}

/** The newest first. */
function byVersion(a: Group, b: Group): number {
  return b.name.localeCompare(a.name, 'en', { numeric: true });
}
