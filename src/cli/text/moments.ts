const SECOND_MS = 1000;

/** A length of time for people, to the nearest unit: `45 s`, `3 min`, `1 h 30 min`, `14 h`, `5 days`. */
export function roughSpan(ms: number): string {
  const seconds = Math.round(Math.max(0, ms) / SECOND_MS);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 12 * 60 && minutes % 60 !== 0) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
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
  const clock = localMinutes(date);
  return localDay(date) === localDay(new Date(nowMs)) ? clock : `${localDay(date)} ${clock}`;
}

/** {@link localTime} and {@link relative} together: `14:02 (3 min ago)`. */
export function moment(iso: string, nowMs: number): string {
  return `${localTime(iso, nowMs)} (${relative(iso, nowMs)})`;
}

/** `2026-11-24` */
export function localDay(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** `14:02` */
export function localMinutes(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** `14:02:33` */
export function localSeconds(date: Date): string {
  return `${localMinutes(date)}:${two(date.getSeconds())}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
