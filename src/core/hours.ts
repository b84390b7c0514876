const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const DAY_MINUTES = 1440;

/** Weekly hours: for each day of the week (0 Sunday) the minutes of the day that are in, as [from, to) pairs. */
export type WeeklyHours = readonly (readonly (readonly [number, number])[])[];

/**
 * Parses `Mon-Fri 08:00-18:00`, `Sat,Sun 10:00-12:00`, several joined with `;`. Local time. A span may cross midnight
 * (`22:00-02:00`). `""` is `null`: always. `never` has no minute. `undefined` when it is not such a spec.
 */
export function parseHours(spec: string): WeeklyHours | null | undefined {
  if (spec.trim() === '') return null;
  if (spec.trim() === 'never') return DAYS.map(() => []);
  const week: [number, number][][] = DAYS.map(() => []);
  for (const part of spec.split(';')) {
    const match = /^\s*([A-Za-z,\s-]+?)\s+(\d{2}):(\d{2})-(\d{2}):(\d{2})\s*$/.exec(part);
    if (match === null) return undefined;
    const days = parseDays(match[1] ?? '');
    const from = Number(match[2]) * 60 + Number(match[3]);
    const to = Number(match[4]) * 60 + Number(match[5]);
    if (days === undefined || from >= DAY_MINUTES || to > DAY_MINUTES || from === to) return undefined;
    if (Number(match[3]) > 59 || Number(match[5]) > 59) return undefined;
    for (const day of days) {
      if (from < to) week[day]?.push([from, to]);
      else {
        week[day]?.push([from, DAY_MINUTES]);
        week[(day + 1) % 7]?.push([0, to]);
      }
    }
  }
  return week;
}

function parseDays(text: string): number[] | undefined {
  const days = new Set<number>();
  for (const item of text.toLowerCase().split(',')) {
    const [first, last, ...rest] = item
      .trim()
      .split('-')
      .map((name) => DAYS.indexOf(name.trim()));
    if (first === undefined || first < 0 || rest.length > 0 || (last !== undefined && last < 0))
      return undefined;
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === (last ?? first)) break;
    }
  }
  return [...days];
}

/** Whether the local time of `wallMs` is within; `null` hours are always. */
export function isWithinHours(hours: WeeklyHours | null, wallMs: number): boolean {
  if (hours === null) return true;
  const date = new Date(wallMs);
  const minute = date.getHours() * 60 + date.getMinutes();
  return (hours[date.getDay()] ?? []).some(([from, to]) => minute >= from && minute < to);
}

/** Milliseconds until the local time next crosses an edge of the hours; `null` when it never does. */
export function msToNextEdge(hours: WeeklyHours | null, wallMs: number): number | null {
  if (hours === null) return null;
  const start = new Date(wallMs);
  const edges: number[] = [];
  for (let ahead = 0; ahead <= 7; ahead++) {
    const day = new Date(start.getFullYear(), start.getMonth(), start.getDate() + ahead);
    for (const span of hours[day.getDay()] ?? []) {
      for (const minute of span) {
        const edge = new Date(day.getFullYear(), day.getMonth(), day.getDate(), 0, minute).getTime();
        if (edge > wallMs) edges.push(edge);
      }
    }
  }
  return edges.length === 0 ? null : Math.min(...edges) - wallMs;
}
