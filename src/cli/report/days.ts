import { localMinutes } from '../text/moments.ts';

/** A local day, from midnight to midnight; 23 or 25 hours where the clock changes. Milliseconds since the epoch. */
export interface Day {
  readonly startMs: number;
  readonly endMs: number;
  /** `Tue 24 Nov`. */
  readonly label: string;
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The local days that the time from `sinceMs` to `nowMs` touches, the oldest first. */
export function daysBetween(sinceMs: number, nowMs: number): Day[] {
  const days: Day[] = [];
  for (let at = new Date(startOfDay(sinceMs)); at.getTime() <= nowMs; ) {
    const next = new Date(at.getFullYear(), at.getMonth(), at.getDate() + 1);
    days.push({ startMs: at.getTime(), endMs: next.getTime(), label: dayLabel(at.getTime()) });
    at = next;
  }
  return days;
}

/** Local midnight before a moment, milliseconds since the epoch. */
export function startOfDay(wallMs: number): number {
  return new Date(wallMs).setHours(0, 0, 0, 0);
}

/** A length of time in hours and minutes, since days of 24 hours mislead where days of work are meant: `50 h 15 min`. */
export function hoursLabel(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `Tue 24 Nov`, local. */
export function dayLabel(wallMs: number): string {
  const date = new Date(wallMs);
  return `${WEEKDAYS[date.getDay()] ?? ''} ${date.getDate()} ${MONTHS[date.getMonth()] ?? ''}`;
}

/** `14:05`, local. */
export function clockLabel(wallMs: number): string {
  return localMinutes(new Date(wallMs));
}
