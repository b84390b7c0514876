import type { Command } from 'commander';
import { get, post } from '../../control/calls.ts';
import { TelemetryError } from '../../core/errors.ts';
import type { LoadedPolicy } from '../../core/policy.ts';
import { addName, type NameList, namesIn, removeName } from '../../policy/name-list-edit.ts';
import { askDaemon, isDaemonDown, restingPlaceToChange } from '../daemon.ts';
import type { CliIo } from '../io.ts';
import { policyAtRest } from '../policy-at-rest.ts';
import { readPreferences, writePreferences } from '../preferences-file.ts';

const EXAMPLES = `
While an application or a window whose title has one of these words has the
focus, nothing at all is recorded. What you add is your own and stands beside
the policy's list, which only the policy can shorten.

Examples:
  telemetryctl exclude add Signal
  telemetryctl exclude add --title "Private Browsing"
  telemetryctl exclude remove Signal
  telemetryctl exclude list --json`;

interface Options {
  readonly title?: true;
  readonly json?: true;
}

/** Adds `exclude add|remove|list`: the person's own exclusions, kept in their `preferences.toml`. */
export function define(command: Command, io: CliIo): void {
  command.addHelpText('after', EXAMPLES);
  command
    .command('add')
    .description('Leave out an application, or with --title all windows with these words in the title.')
    .argument('<name>', 'an application as its window names it, or words of a title')
    .option('--title', 'the name is of a window title')
    .option('--json', 'print JSON: what is left out now')
    .addHelpText(
      'after',
      '\nExamples:\n  telemetryctl exclude add Signal\n  telemetryctl exclude add --title Payslip',
    )
    .action((name: string, options: Options) => change(io, addName, name, options));
  command
    .command('remove')
    .description('Take back what you added; what the policy leaves out stays out.')
    .argument('<name>', 'as `telemetryctl exclude list` prints it')
    .option('--title', 'the name is of a window title')
    .option('--json', 'print JSON: what is left out now')
    .addHelpText(
      'after',
      '\nExamples:\n  telemetryctl exclude remove Signal\n  telemetryctl exclude remove --title Payslip',
    )
    .action((name: string, options: Options) => change(io, removeName, name, options));
  command
    .command('list')
    .description('Print what is left out, and who says so.')
    .option('--json', 'print JSON: apps, titles, each with its origin')
    .addHelpText('after', '\nExamples:\n  telemetryctl exclude list\n  telemetryctl exclude list --json')
    .action(async ({ json }: Options) => {
      print(io, await inForce(io), json === true);
    });
}

async function change(
  io: CliIo,
  edit: typeof addName,
  name: string,
  { title, json }: Options,
): Promise<void> {
  await refuseForService(io);
  const list: NameList = title === true ? 'titles' : 'apps';
  const file = readPreferences(io);
  const text = edit(file.path, file.text, list, name);
  const isChanged = text !== file.text;
  if (isChanged) writePreferences(file, text);
  const { loaded, isLive } = await reload(io);
  if (json === true) {
    print(io, loaded, true);
    return;
  }
  io.out(`${outcome(loaded, list, name, { isAdd: edit === addName, isChanged })}\n`);
  if (!isLive) io.out('The daemon is down; this holds from its next start.\n');
  else if (isChanged && edit === removeName) await warnWhenStale(io);
}

/** The system service comes into nobody's home: a list there would change nothing, whatever was said here. */
async function refuseForService(io: CliIo): Promise<void> {
  try {
    const { daemon } = await askDaemon(io, (socketPath) => get(socketPath, 'status'));
    if (!('mode' in daemon) || daemon.mode !== 'system') return;
  } catch (error) {
    if (!isDaemonDown(error)) throw error;
    restingPlaceToChange(io);
    return;
  }
  throw new TelemetryError('failed', 'The system service does not read preferences of your own.', {
    op: 'exclude',
    hint: 'telemetryctl exempt request --scope app:NAME, or ask for the policy to leave it out',
  });
}

function outcome(
  { policy }: LoadedPolicy,
  list: NameList,
  name: string,
  { isAdd, isChanged }: { readonly isAdd: boolean; readonly isChanged: boolean },
): string {
  const what = list === 'apps' ? `the application ${name}` : `windows titled "${name}"`;
  if (isAdd)
    return isChanged ? `Nothing is recorded in ${what} from now on.` : `You left out ${what} before.`;
  const stays = policy.exclude[list].includes(name) ? `; the policy leaves out ${what} all the same` : '';
  return isChanged ? `Taken from your list${stays}.` : `Your list does not have ${what}${stays}.`;
}

/** To record again what consent was given without is another agreement. */
async function warnWhenStale(io: CliIo): Promise<void> {
  const { state } = await askDaemon(io, (socketPath) => get(socketPath, 'consent'));
  if (state !== 'stale') return;
  io.out('Your consent was for less than this. Nothing is recorded until: telemetryctl consent grant\n');
}

async function reload(io: CliIo): Promise<{ readonly loaded: LoadedPolicy; readonly isLive: boolean }> {
  try {
    return { loaded: await askDaemon(io, (socketPath) => post(socketPath, 'reload', {})), isLive: true };
  } catch (error) {
    if (!isDaemonDown(error)) throw error;
    return { loaded: policyAtRest(io), isLive: false };
  }
}

async function inForce(io: CliIo): Promise<LoadedPolicy> {
  try {
    return await askDaemon(io, (socketPath) => get(socketPath, 'policy'));
  } catch (error) {
    if (!isDaemonDown(error)) throw error;
    return policyAtRest(io);
  }
}

function print(io: CliIo, { policy }: LoadedPolicy, isJson: boolean): void {
  const { path, text } = readPreferences(io);
  const entries = (list: NameList) => {
    const own = namesIn(path, text, list);
    return policy.exclude[list].map((name) => ({
      name,
      origin: own.includes(name) ? 'preferences' : 'policy',
    }));
  };
  const apps = entries('apps');
  const titles = entries('titles');
  if (isJson) {
    io.out(`${JSON.stringify({ schema: 1, apps, titles }, null, 2)}\n`);
    return;
  }
  const lines = (found: readonly { readonly name: string; readonly origin: string }[]): string =>
    found.length === 0
      ? '  none\n'
      : found.map(({ name, origin }) => `  ${name}${origin === 'preferences' ? '  (yours)' : ''}\n`).join('');
  io.out(`Applications in which nothing is recorded:\n${lines(apps)}`);
  io.out(`Window titles with which nothing is recorded:\n${lines(titles)}`);
}
