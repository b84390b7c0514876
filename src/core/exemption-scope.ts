import { isWithinHours, msToNextEdge, parseHours, type WeeklyHours } from './hours.ts';

/** What an exemption is from: everything, one application, or everything in some hours of the week. */
export type ExemptionScope =
  | { readonly kind: 'all' }
  | { readonly kind: 'app'; readonly name: string }
  | { readonly kind: 'hours'; readonly hours: WeeklyHours };

/** An application's name, or a spec of hours, is a few words. */
const MAX_SCOPE_CHARACTERS = 200;

/** Reads `all`, `app:NAME` or `hours:SPEC` (see {@link parseHours}); `undefined` when it is none of them. */
export function parseScope(text: string): ExemptionScope | undefined {
  if (text === 'all') return { kind: 'all' };
  if (text.length > MAX_SCOPE_CHARACTERS || /\p{Cc}/u.test(text)) return undefined;
  const [, kind, value = ''] = /^(app|hours):(.*)$/.exec(text) ?? [];
  if (value.trim() === '') return undefined;
  if (kind === 'app') return { kind, name: value.trim() };
  const hours = parseHours(value);
  // No hours at all, or every hour, is no exemption of some hours.
  return hours === undefined || hours === null || hours.every((day) => day.length === 0)
    ? undefined
    : { kind: 'hours', hours };
}

/** Whether a stretch of time has a moment in the hours. Both ends are milliseconds since the epoch, both included. */
export function touchesHours(hours: WeeklyHours, fromWallMs: number, untilWallMs: number): boolean {
  if (isWithinHours(hours, fromWallMs)) return true;
  const edge = msToNextEdge(hours, fromWallMs);
  return edge !== null && fromWallMs + edge <= untilWallMs;
}
