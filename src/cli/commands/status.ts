import type { Command } from 'commander';
import { get } from '../../control/calls.ts';
import { EXIT } from '../../core/errors.ts';
import type { StatusReport } from '../../core/status.ts';
import type { Finish } from '../command-module.ts';
import { askDaemon, isDaemonDown } from '../daemon.ts';
import type { CliIo } from '../io.ts';

/** The options of `status`. */
interface StatusOptions {
  readonly isJson: boolean;
}

const EXAMPLES = `
With the daemon down it shows what the files say, state "stopped", and exits 10.

Examples:
  telemetryctl status
  telemetryctl status --json | jq -r .collection.state
  telemetryctl status --watch`;

/** Adds `status [--json] [--watch]`. */
export function define(command: Command, io: CliIo, finish: Finish): void {
  command
    .option('--json', 'print JSON, schema 1')
    .option('--watch', 'keep showing it; in a pipe, print one line for every change')
    .addHelpText('after', EXAMPLES)
    .action(async (options: { json?: true; watch?: true }) => {
      const isJson = options.json === true;
      if (options.watch !== true) {
        finish(await showStatus(io, { isJson }));
        return;
      }
      const { watchStatus } = await import('../watch.ts');
      finish(await watchStatus(io, { isJson }));
    });
}

/** Prints the status once; 10 when the daemon is down, which is part of the answer rather than an error. */
export async function showStatus(io: CliIo, { isJson }: StatusOptions): Promise<number> {
  const report = await currentStatus(io);
  if (isJson) {
    io.out(`${JSON.stringify(report, null, 2)}\n`);
  } else {
    const { statusPage } = await import('../text/status-page.ts');
    io.out(statusPage(report, { nowMs: io.clock.now().wallMs, hasColour: io.hasColour }));
  }
  return report.collection.state === 'stopped' ? EXIT.daemonDown : EXIT.ok;
}

/** The daemon's report, or what the files say of a daemon that is down. */
export async function currentStatus(io: CliIo): Promise<StatusReport> {
  try {
    return await askDaemon(io, (socketPath) => get(socketPath, 'status'));
  } catch (error) {
    if (!isDaemonDown(error)) throw error;
    const { stoppedReport } = await import('../stopped-report.ts');
    return stoppedReport(io);
  }
}
