import { parseDuration } from '../core/duration.ts';
import { TelemetryError } from '../core/errors.ts';

/** Milliseconds of a duration on the command line; a usage error for anything that is not one, or is none. */
export function durationArgument(text: string, usage = 'telemetryctl pause'): number {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined && durationMs > 0) return durationMs;
  const what = durationMs === 0 ? 'is no time at all' : 'is not a duration';
  throw new TelemetryError('usage', `${JSON.stringify(text)} ${what}.`, {
    hint: `${usage} 30m (or 90s, 1h30m)`,
  });
}
