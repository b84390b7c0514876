import type { Command } from 'commander';
import { post } from '../../control/calls.ts';
import type { PauseReply, PauseRequest } from '../../control/protocol.ts';
import { TelemetryError } from '../../core/errors.ts';
import { askDaemon, isDaemonDown } from '../daemon.ts';
import { durationArgument } from '../duration-argument.ts';
import type { CliIo } from '../io.ts';
import { pauseAtRest } from '../pause-at-rest.ts';
import { localTime, roughSpan } from '../text/moments.ts';
import { nextTimeOfDay } from '../time-of-day.ts';

const EXAMPLES = `
Returns when the capture process is gone; nothing after that moment is recorded.
It resumes by itself, and no pause is longer than the policy's pause.max: one
that would be is refused, exit code 2. --until takes local time, today's or
tomorrow's. With the daemon down the pause holds from its next start.

Examples:
  telemetryctl pause 30m
  telemetryctl pause --until 15:30
  telemetryctl pause 90s --reason "entering a password"`;

interface Options {
  reason?: string;
  until?: string;
  json?: true;
}

/** Adds `pause DURATION|--until TIME [--reason TEXT] [--json]`. */
export function define(command: Command, io: CliIo): void {
  command
    .argument('[duration]', 'how long: 90s, 30m, 1h30m')
    .option('--until <time>', 'until when instead: 15:30, or 15:30:20')
    .option('--reason <text>', 'a note to yourself; stays on this device')
    .option('--json', 'print JSON: until, remainingMs')
    .addHelpText('after', EXAMPLES)
    .action(async (text: string | undefined, options: Options) => {
      const { reason } = options;
      const durationMs = askedMs(text, options.until, io);
      const request: PauseRequest = reason === undefined ? { durationMs } : { durationMs, reason };
      const { reply, isAtRest } = await pause(io, request);
      io.out(options.json === true ? `${JSON.stringify(reply, null, 2)}\n` : words(io, reply, isAtRest));
    });
}

/** The daemon counts pauses on the boot-time clock, which has steps of 10 ms: none is to end before the time it names. */
const CLOCK_STEP_MS = 20;

/** How long a pause is asked for: a length, or a time of day that the clock shows next. */
function askedMs(duration: string | undefined, until: string | undefined, io: CliIo): number {
  if ((duration === undefined) === (until === undefined)) {
    const message =
      until === undefined
        ? 'How long the pause is to be is missing.'
        : 'Both a length and an end were given.';
    throw new TelemetryError('usage', message, { hint: 'telemetryctl pause 30m, or pause --until 15:30' });
  }
  if (until === undefined) return durationArgument(duration ?? '');
  const { wallMs } = io.clock.now();
  const endMs = nextTimeOfDay(until, wallMs);
  if (endMs !== undefined) return Math.ceil(endMs - wallMs) + CLOCK_STEP_MS;
  throw new TelemetryError('usage', `${JSON.stringify(until)} is not a time of day.`, {
    hint: 'telemetryctl pause --until 15:30',
  });
}

async function pause(io: CliIo, request: PauseRequest): Promise<{ reply: PauseReply; isAtRest: boolean }> {
  const ask = (): Promise<PauseReply> => askDaemon(io, (socketPath) => post(socketPath, 'pause', request));
  try {
    return { reply: await ask(), isAtRest: false };
  } catch (error) {
    if (!isDaemonDown(error)) throw error;
  }
  const reply = pauseAtRest(io, request);
  try {
    // A daemon that started meanwhile may have read the file before the pause was in it.
    return { reply: await ask(), isAtRest: false };
  } catch (error) {
    if (isDaemonDown(error)) return { reply, isAtRest: true };
    throw error;
  }
}

function words(io: CliIo, { until, remainingMs }: PauseReply, isAtRest: boolean): string {
  const { wallMs } = io.clock.now();
  const text = `Paused until ${localTime(until, wallMs)} (${roughSpan(remainingMs)}).`;
  return isAtRest ? `${text} The daemon is down; the pause holds when it starts.\n` : `${text}\n`;
}
