const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A length of time for people, one unit, rounded down: `45 s`, `3 min`, `2 h`, `5 days`. */
export function roughSpan(ms: number): string {
  const span = Math.max(0, ms);
  if (span < MINUTE_MS) return `${Math.floor(span / SECOND_MS)} s`;
  if (span < HOUR_MS) return `${Math.floor(span / MINUTE_MS)} min`;
  if (span < 2 * DAY_MS) return `${Math.floor(span / HOUR_MS)} h`;
  return `${Math.floor(span / DAY_MS)} days`;
}

/** `3 min ago`, `in 3 min`, `just now`; a second either way is now, since clocks and pages are not that exact. */
export function relative(iso: string, nowMs: number): string {
  const ahead = Date.parse(iso) - nowMs;
  if (Math.abs(ahead) < 2 * SECOND_MS) return 'just now';
  return ahead > 0 ? `in ${roughSpan(ahead)}` : `${roughSpan(-ahead)} ago`;
}

/** The local time, with the date unless it is today's: `14:02`, `2026-11-24 14:02`. */
export function localTime(iso: string, nowMs: number): string {
  const date = new Date(iso);
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return localDay(date) === localDay(new Date(nowMs)) ? clock : `${localDay(date)} ${clock}`;
}

/** {@link localTime} and {@link relative} together: `14:02 (3 min ago)`. */
export function moment(iso: string, nowMs: number): string {
  return `${localTime(iso, nowMs)} (${relative(iso, nowMs)})`;
}

function localDay(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
