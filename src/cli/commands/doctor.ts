import type { Command } from 'commander';
import type { Finish } from '../command-module.ts';
import { exitCodeOf, worstOf } from '../doctor/check.ts';
import { examine } from '../doctor/patient.ts';
import { runChecks } from '../doctor/run-checks.ts';
import type { CliIo } from '../io.ts';
import { doctorPage } from '../text/doctor-page.ts';

const EXAMPLES = `
It changes nothing. The collector is asked, over one connection, only while the
gate lets this network be used; --online asks all the same (some 6 KB, which no
budget counts). What cannot be looked at is "skipped", which is never a pass.

Exit code: 0 nothing failed (warnings are for people), 12 the policy is
refused, 10 the daemon is not running, 1 anything else failed.

Examples:
  telemetryctl doctor
  telemetryctl doctor --online
  telemetryctl doctor --json | jq '.checks[] | select(.severity == "fail")'`;

/** Adds `doctor [--online] [--json]`. */
export function define(command: Command, io: CliIo, finish: Finish): void {
  command
    .option('--online', 'ask the collector whatever network this is')
    .option('--json', 'print JSON: worst, checks')
    .addHelpText('after', EXAMPLES)
    .action(async (options: { online?: true; json?: true }) => {
      const checks = await runChecks(await examine(io), options.online === true);
      io.out(
        options.json === true
          ? `${JSON.stringify({ schema: 1, worst: worstOf(checks), checks }, null, 2)}\n`
          : doctorPage(checks, io.hasColour),
      );
      finish(exitCodeOf(checks));
    });
}
