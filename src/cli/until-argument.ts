import { parseDuration } from '../core/duration.ts';
import { TelemetryError } from '../core/errors.ts';

/**
 * Milliseconds from now until a day (to its end), a day and time (`2026-12-24 18:00`, local) or an ISO 8601 time; a usage
 * error for anything else and for what is past.
 */
export function untilArgument(text: string, nowMs: number): number {
  const ms = dateMs(text.trim());
  if (ms === undefined) {
    throw new TelemetryError('usage', `${JSON.stringify(text)} is not a day.`, {
      hint: '--until 2026-12-24, or --until "2026-12-24 18:00"',
    });
  }
  if (ms > nowMs) return ms - nowMs;
  throw new TelemetryError('usage', `${text.trim()} is past.`, { hint: 'a day to come, or --for 7d' });
}

/** A length of time (`7d`) or a moment as {@link untilArgument} takes it. */
export function spanArgument(text: string, nowMs: number): number {
  const durationMs = parseDuration(text.trim());
  return durationMs !== undefined && durationMs > 0 ? durationMs : untilArgument(text, nowMs);
}

function dateMs(text: string): number | undefined {
  const [, year, month, day, hour, minute] =
    /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2}))?$/.exec(text) ?? [];
  if (day === undefined) {
    const ms = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/.test(text)
      ? Date.parse(text)
      : Number.NaN;
    return Number.isNaN(ms) ? undefined : ms;
  }
  const clock = hour === undefined ? [24, 0] : [Number(hour), Number(minute)];
  const [hours = 0, minutes = 0] = clock;
  const date = new Date(Number(year), Number(month) - 1, Number(day));
  // The 31st of February is no day.
  if (date.getMonth() !== Number(month) - 1 || date.getDate() !== Number(day)) return undefined;
  if (hours > 24 || minutes > 59 || (hours === 24 && minutes > 0)) return undefined;
  return date.setHours(hours, minutes, 0, 0);
}
