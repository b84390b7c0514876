import type { Command } from 'commander';
import { post } from '../../control/calls.ts';
import type { PauseReply, PauseRequest } from '../../control/protocol.ts';
import { askDaemon, isDaemonDown } from '../daemon.ts';
import { durationArgument } from '../duration-argument.ts';
import type { CliIo } from '../io.ts';
import { pauseAtRest } from '../pause-at-rest.ts';
import { localTime, roughSpan } from '../text/moments.ts';

const EXAMPLES = `
Returns when the capture process is gone; nothing after that moment is recorded.
It resumes by itself, and no pause is longer than the policy's pause.max. With
the daemon down the pause holds from its next start.

Examples:
  telemetryctl pause 30m
  telemetryctl pause 90s --reason "entering a password"
  telemetryctl pause 1h30m --json`;

/** Adds `pause DURATION [--reason TEXT] [--json]`. */
export function define(command: Command, io: CliIo): void {
  command
    .argument('<duration>', 'how long: 90s, 30m, 1h30m')
    .option('--reason <text>', 'a note to yourself; stays on this device')
    .option('--json', 'print JSON: until, remainingMs')
    .addHelpText('after', EXAMPLES)
    .action(async (text: string, options: { reason?: string; json?: true }) => {
      const { reason } = options;
      const durationMs = durationArgument(text);
      const request: PauseRequest = reason === undefined ? { durationMs } : { durationMs, reason };
      const { reply, isAtRest } = await pause(io, request);
      io.out(options.json === true ? `${JSON.stringify(reply, null, 2)}\n` : words(io, reply, isAtRest));
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
