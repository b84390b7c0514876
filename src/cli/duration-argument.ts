import { parseDuration } from '../core/duration.ts';
import { TelemetryError } from '../core/errors.ts';
import type { CliIo } from './io.ts';

/** When `--since DURATION` begins, milliseconds since the epoch; without one at the beginning of time. */
export function sinceArgument(text: string | undefined, io: CliIo, usage: string): number {
  return text === undefined ? -Infinity : io.clock.now().wallMs - durationArgument(text, usage);
}

/** Milliseconds of a duration on the command line; a usage error for anything that is not one, or is none. */
export function durationArgument(text: string, usage = 'telemetryctl pause'): number {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined && durationMs > 0) return durationMs;
  const what = durationMs === 0 ? 'is no time at all' : 'is not a duration';
  throw new TelemetryError('usage', `${JSON.stringify(text)} ${what}.`, {
    hint: `${usage} 30m (or 90s, 1h30m)`,
  });
}
