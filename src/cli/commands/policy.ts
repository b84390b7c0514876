import { resolve } from 'node:path';
import type { Command } from 'commander';
import { get } from '../../control/calls.ts';
import { EXIT } from '../../core/errors.ts';
import type { LoadedPolicy } from '../../core/policy.ts';
import { loadPolicyFiles } from '../../policy/load.ts';
import type { PolicyPaths, Refused } from '../../policy/policy-outcome.ts';
import type { Finish } from '../command-module.ts';
import { askDaemon, isDaemonDown } from '../daemon.ts';
import type { CliIo } from '../io.ts';
import { policyAtRest } from '../policy-at-rest.ts';
import { policyPage, problemLines } from '../text/policy-page.ts';

const EXAMPLES = `
Examples:
  telemetryctl policy show
  telemetryctl policy show --json | jq .policy.upload
  telemetryctl policy check ./policy.toml`;

/** Adds `policy show` and `policy check FILE`. */
export function define(command: Command, io: CliIo, finish: Finish): void {
  command.addHelpText('after', EXAMPLES);
  command
    .command('show')
    .description('Print the policy in force, as a policy file, with where each value comes from.')
    .option('--json', 'print JSON, in milliseconds and bytes')
    .addHelpText(
      'after',
      '\nExamples:\n  telemetryctl policy show\n  telemetryctl policy show --json | jq .origins',
    )
    .action(async (options: { json?: true }) => {
      const loaded = await inForce(io);
      io.out(
        options.json === true ? `${JSON.stringify({ schema: 1, ...loaded }, null, 2)}\n` : policyPage(loaded),
      );
    });
  command
    .command('check')
    .description('Check a policy file without using it. Exit code 12 when it would be refused.')
    .argument('<file>', 'a policy.toml')
    .option('--json', 'print JSON: ok, id, problems')
    .addHelpText(
      'after',
      '\nExamples:\n  telemetryctl policy check policy.toml\n  telemetryctl policy check --json policy.toml',
    )
    .action((file: string, options: { json?: true }) => finish(check(file, options.json === true, io)));
}

async function inForce(io: CliIo): Promise<LoadedPolicy> {
  try {
    return await askDaemon(io, (socketPath) => get(socketPath, 'policy'));
  } catch (error) {
    if (!isDaemonDown(error)) throw error;
  }
  const outcome = policyAtRest(io);
  io.err('The daemon is not running; this is what the files say.\n');
  return outcome;
}

function check(file: string, isJson: boolean, io: CliIo): number {
  const paths: PolicyPaths = {
    policyFile: resolve(io.around.cwd, file),
    preferencesFile: null,
    isSystem: false,
    personUid: io.around.uid,
    isPolicyRequired: true,
  };
  const outcome = loadPolicyFiles(paths);
  const { problems } = outcome;
  const isGood = !isRefused(outcome);
  const id = isGood ? outcome.id : null;
  if (isJson) io.out(`${JSON.stringify({ schema: 1, ok: isGood, id, problems }, null, 2)}\n`);
  else {
    io.out(problemLines(problems));
    io.out(isGood ? `${file} is a good policy, id ${outcome.id}.\n` : `${file} would be refused.\n`);
  }
  return isGood ? EXIT.ok : EXIT.badConfiguration;
}

function isRefused(outcome: LoadedPolicy | Refused): outcome is Refused {
  return outcome.policy === null;
}
