import { parseHours, type WeeklyHours } from './hours.ts';

const DAY_NAMES = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
/** People read a week from Monday. */
const DAY_ORDER = [1, 2, 3, 4, 5, 6, 0];
const DAY_MINUTES = 1440;

type Span = readonly [number, number];

/**
 * The hours that both specs allow. The answer is the first spec as it was written when it lies within the second, or
 * the second when it lies within the first, else a spec of the overlap; `never` when they have no minute in common.
 * Both must be specs that {@link parseHours} takes; one that is not counts as `never`.
 */
export function overlapHours(a: string, b: string): string {
  const weekA = weekOf(a);
  const weekB = weekOf(b);
  const both = weekA.map((spans, day) => overlapSpans(spans, weekB[day] ?? []));
  const spec = formatWeek(both);
  if (spec === formatWeek(weekA)) return a;
  return spec === formatWeek(weekB) ? b : spec;
}

/** The one spelling of all specs that allow the same hours: `""` for always, `never` for no minute at all. */
export function canonicalHours(spec: string): string {
  return formatWeek(weekOf(spec));
}

/** Every day's spans, sorted and joined where they touch. */
function weekOf(spec: string): Span[][] {
  const hours: WeeklyHours | null | undefined = parseHours(spec);
  return DAY_NAMES.map((_, day) =>
    hours === null ? [[0, DAY_MINUTES] as const] : joinSpans(hours?.[day] ?? []),
  );
}

function joinSpans(spans: readonly Span[]): Span[] {
  const joined: [number, number][] = [];
  for (const [from, to] of [...spans].sort((left, right) => left[0] - right[0])) {
    // A span up to midnight leaves an empty one on the day after.
    if (from === to) continue;
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

function overlapSpans(a: readonly Span[], b: readonly Span[]): Span[] {
  const spans = a.flatMap(([fromA, toA]) =>
    b.map(([fromB, toB]) => [Math.max(fromA, fromB), Math.min(toA, toB)] as const),
  );
  return joinSpans(spans.filter(([from, to]) => from < to));
}

function formatWeek(week: readonly (readonly Span[])[]): string {
  const days = DAY_ORDER.map((day) => ({ day, text: (week[day] ?? []).map(formatSpan).join(' ') }));
  if (days.every(({ text }) => text === '00:00-24:00')) return '';
  const parts: string[] = [];
  for (let start = 0; start < days.length; ) {
    const text = days[start]?.text ?? '';
    let end = start;
    while (end + 1 < days.length && days[end + 1]?.text === text) end++;
    const first = DAY_NAMES[DAY_ORDER[start] ?? 0] ?? '';
    const last = DAY_NAMES[DAY_ORDER[end] ?? 0] ?? '';
    const names = start === end ? first : `${first}-${last}`;
    if (text !== '') parts.push(...text.split(' ').map((span) => `${names} ${span}`));
    start = end + 1;
  }
  return parts.length === 0 ? 'never' : parts.join('; ');
}

function formatSpan([from, to]: Span): string {
  const clock = (minute: number): string =>
    `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
  return `${clock(from)}-${clock(to)}`;
}
