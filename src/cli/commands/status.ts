import type { Command } from 'commander';
import { get } from '../../control/calls.ts';
import { EXIT, TelemetryError } from '../../core/errors.ts';
import type { PublicStatus, StatusReport } from '../../core/status.ts';
import type { Finish } from '../command-module.ts';
import { askDaemon, isDaemonDown } from '../daemon.ts';
import type { CliIo } from '../io.ts';

/** How `status` is to look. */
type StatusForm = 'page' | 'json' | 'short';

const EXAMPLES = `
With the daemon down it shows what the files say, state "stopped", and exits 10,
--short too. --short prints what a prompt or a status bar has room for:
"capturing", "paused 12 min", "blocked".

Examples:
  telemetryctl status
  telemetryctl status --json | jq -r .collection.state
  telemetryctl status --watch
  telemetryctl status --short`;

const SHORT = 'print a few words, for a prompt or a status bar';

/** Adds `status [--json|--short] [--watch]`. */
export function define(command: Command, io: CliIo, finish: Finish): void {
  command
    .option('--json', 'print JSON, schema 1')
    .addOption(command.createOption('--short', SHORT).conflicts(['json', 'watch']))
    .option('--watch', 'keep showing it; in a pipe, print one line for every change')
    .addHelpText('after', EXAMPLES)
    .action(async (options: { json?: true; short?: true; watch?: true }) => {
      const isJson = options.json === true;
      if (options.watch !== true) {
        finish(await showStatus(io, options.short === true ? 'short' : isJson ? 'json' : 'page'));
        return;
      }
      const { watchStatus } = await import('../watch.ts');
      finish(await watchStatus(io, { isJson }));
    });
}

/** Prints the status once; 10 when the daemon is down, which is part of the answer rather than an error. */
export async function showStatus(io: CliIo, form: StatusForm): Promise<number> {
  if (form === 'short') return await showShort(io);
  const report = await currentStatus(io);
  if (form === 'json') {
    io.out(`${JSON.stringify(report, null, 2)}\n`);
  } else if ('restricted' in report) {
    const { publicPage } = await import('../text/public-page.ts');
    io.out(publicPage(report));
  } else {
    const { statusPage } = await import('../text/status-page.ts');
    io.out(statusPage(report, { nowMs: io.clock.now().wallMs, hasColour: io.hasColour }));
  }
  return report.collection.state === 'stopped' ? EXIT.daemonDown : EXIT.ok;
}

/** Asks the daemon alone: nobody waits for files to be looked through at every prompt. */
async function showShort(io: CliIo): Promise<number> {
  try {
    const { collection } = await askDaemon(io, (socketPath) => get(socketPath, 'status'));
    // Loaded here alone, as the page is: each form of `status` starts without what only the others need.
    const { shortStatus } = await import('../text/short-status.ts');
    io.out(`${shortStatus(collection, io.clock.now().wallMs)}\n`);
    return EXIT.ok;
  } catch (error) {
    if (!isDaemonDown(error)) throw error;
    io.out('stopped\n');
    return EXIT.daemonDown;
  }
}

/** As {@link currentStatus}, for what only the person may see; throws `not-permitted` for anyone else. */
export async function ownStatus(io: CliIo): Promise<StatusReport> {
  const report = await currentStatus(io);
  if (!('restricted' in report)) return report;
  throw new TelemetryError('not-permitted', 'This is for the person whose input it is, and nobody else.', {
    hint: 'telemetryctl status shows what others may see',
  });
}

/** The daemon's report, or what the files say of a daemon that is down. */
export async function currentStatus(io: CliIo): Promise<StatusReport | PublicStatus> {
  try {
    return await askDaemon(io, (socketPath) => get(socketPath, 'status'));
  } catch (error) {
    if (!isDaemonDown(error)) throw error;
    const { stoppedReport } = await import('../stopped-report.ts');
    return stoppedReport(io);
  }
}
