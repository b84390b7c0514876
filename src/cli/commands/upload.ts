import type { Command } from 'commander';
import { post } from '../../control/calls.ts';
import type { UploadNowReply } from '../../control/protocol.ts';
import { EXIT } from '../../core/errors.ts';
import type { Finish } from '../command-module.ts';
import { askDaemon } from '../daemon.ts';
import type { CliIo } from '../io.ts';
import { bullet } from '../text/layout.ts';
import { uploadPage } from '../text/status-page.ts';
import { ownStatus } from './status.ts';

const EXAMPLES = `
Examples:
  telemetryctl upload status
  telemetryctl upload now
  telemetryctl upload status --json | jq -r '.upload.blockers[].code'`;

/** Adds `upload status|now`. */
export function define(command: Command, io: CliIo, finish: Finish): void {
  command.addHelpText('after', EXAMPLES);
  command
    .command('status')
    .description('Show what was sent, what waits, and what keeps it here.')
    .option('--json', 'print JSON, schema 1')
    .addHelpText('after', '\nExamples:\n  telemetryctl upload status\n  telemetryctl upload status --json')
    .action(async (options: { json?: true }) => {
      const report = await ownStatus(io);
      const { upload, conditions } = report;
      const page = { nowMs: io.clock.now().wallMs, hasColour: io.hasColour };
      const isJson = options.json === true;
      io.out(
        isJson ? `${JSON.stringify({ schema: 1, upload, conditions }, null, 2)}\n` : uploadPage(report, page),
      );
      if (report.collection.state === 'stopped') finish(EXIT.daemonDown);
    });
  command
    .command('now')
    .description(
      'Start an upload now instead of at its scheduled time. The gate still decides: exit code 1 when it is closed.',
    )
    .option('--json', 'print JSON: started, blockers')
    .addHelpText('after', '\nExamples:\n  telemetryctl upload now\n  telemetryctl upload now --json')
    .action(async (options: { json?: true }) => {
      const reply = await askDaemon(io, (socketPath) => post(socketPath, 'uploadNow', {}));
      io.out(options.json === true ? `${JSON.stringify({ schema: 1, ...reply }, null, 2)}\n` : words(reply));
      if (reply.blockers.length > 0) finish(EXIT.failed);
    });
}

function words({ started, blockers }: UploadNowReply): string {
  if (started) return 'An upload has begun.\n';
  if (blockers.length === 0) return 'Nothing waits to be sent.\n';
  const list = blockers.map(({ code, text }) => bullet(`${text} [${code}]`));
  return `The gate is closed, nothing is sent:\n${list.join('\n')}\nTry: telemetryctl why\n`;
}
