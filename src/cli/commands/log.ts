import type { Command } from 'commander';
import { groupedCount } from '../../core/amounts.ts';
import { EXIT } from '../../core/errors.ts';
import { readLedger, verifyLedger } from '../../privacy/ledger.ts';
import type { Finish } from '../command-module.ts';
import { restingPlace } from '../daemon.ts';
import type { CliIo } from '../io.ts';
import { ledgerLine } from '../text/ledger-line.ts';

const EXAMPLES = `
Every entry is chained to the one before by its hash. It holds counts and names,
no event. Works with the daemon down.

Examples:
  telemetryctl log
  telemetryctl log --json | jq -c 'select(.type == "sent")'
  telemetryctl log verify`;

/** Adds `log [--json]` and `log verify [--json]`. */
export function define(command: Command, io: CliIo, finish: Finish): void {
  command
    .option('--json', 'print the entries as JSON lines')
    .addHelpText('after', EXAMPLES)
    .action((options: { json?: true }) => {
      let count = 0;
      for (const entry of readLedger(restingPlace(io).stateDir)) {
        io.out(`${options.json === true ? JSON.stringify(entry) : ledgerLine(entry)}\n`);
        count++;
      }
      if (count === 0) io.err('telemetryctl: the record is empty.\n');
    });
  command
    .command('verify')
    .description('Check that no entry was changed, removed or put in. Exit code 1 when one was.')
    .option('--json', 'print JSON: ok, entries, brokenAt, head')
    .addHelpText(
      'after',
      '\nExamples:\n  telemetryctl log verify\n  telemetryctl log verify --json | jq .head',
    )
    .action((_options: object, verify: Command) => {
      finish(verifyLog(io, verify.optsWithGlobals<{ json?: true }>().json === true));
    });
}

function verifyLog(io: CliIo, isJson: boolean): number {
  const check = verifyLedger(restingPlace(io).stateDir);
  if (isJson) io.out(`${JSON.stringify({ schema: 1, ...check }, null, 2)}\n`);
  else if (check.ok)
    io.out(`Intact: ${groupedCount(check.entries)} entries, the last one ${check.head.hash}.\n`);
  else
    io.out(
      `Not intact from entry ${check.brokenAt ?? 0} on; the ${groupedCount(check.entries)} before it are.\n`,
    );
  return check.ok ? EXIT.ok : EXIT.failed;
}
