import type { Command } from 'commander';
import { EXIT } from '../../core/errors.ts';
import type { Finish } from '../command-module.ts';
import type { CliIo } from '../io.ts';
import { explain, whyPage } from '../text/why.ts';
import { ownStatus } from './status.ts';

const EXAMPLES = `
Examples:
  telemetryctl why
  telemetryctl why --json | jq -r '.upload.blockers[].code'`;

/** Adds `why [--json]`. */
export function define(command: Command, io: CliIo, finish: Finish): void {
  command
    .option('--json', 'print JSON, schema 1')
    .addHelpText('after', EXAMPLES)
    .action(async (options: { json?: true }) => {
      const report = await ownStatus(io);
      const isJson = options.json === true;
      io.out(
        isJson ? `${JSON.stringify(explain(report), null, 2)}\n` : whyPage(report, io.clock.now().wallMs),
      );
      if (report.collection.state === 'stopped') finish(EXIT.daemonDown);
    });
}
