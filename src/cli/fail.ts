import { EXIT, exitCodeFor, messageOf, TelemetryError } from '../core/errors.ts';
import { type CliIo, OutputClosed } from './io.ts';

/** Says on standard error what went wrong and what to do about it; returns the exit code. */
export function fail(error: unknown, io: CliIo): number {
  if (error instanceof OutputClosed) return EXIT.ok;
  const hint = error instanceof TelemetryError ? error.hint : 'telemetryctl --help';
  const text = `telemetryctl: ${messageOf(error)}\n${hint === '' ? '' : `Try: ${hint}\n`}`;
  try {
    io.err(text);
  } catch {
    // Nobody reads standard error; the exit code still tells.
  }
  return exitCodeFor(error);
}
