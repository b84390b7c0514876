import type { Command } from 'commander';
import { get } from '../../control/calls.ts';
import { askDaemon } from '../daemon.ts';
import type { CliIo } from '../io.ts';

const EXAMPLES = `
Examples:
  telemetryctl notice
  telemetryctl notice --json | jq -r .id`;

/** Adds `notice [--json]`. */
export function define(command: Command, io: CliIo): void {
  command
    .option('--json', 'print JSON: id, text')
    .addHelpText('after', EXAMPLES)
    .action(async (options: { json?: true }) => {
      const notice = await askDaemon(io, (socketPath) => get(socketPath, 'notice'));
      const isJson = options.json === true;
      io.out(
        isJson ? `${JSON.stringify(notice, null, 2)}\n` : `${notice.text.trimEnd()}\n\nNotice ${notice.id}\n`,
      );
    });
}
