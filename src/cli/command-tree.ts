import { Command } from 'commander';
import { VERSION } from '../core/version.ts';
import type { CommandModule, Finish } from './command-module.ts';
import type { CliIo } from './io.ts';

interface Entry {
  readonly summary: string;
  /** Loaded only when it is the command that was asked for. */
  readonly load: () => Promise<CommandModule>;
}

/** In the order of the overview: what one looks at, what one decides, what scripts and shells want. */
const COMMANDS: Readonly<Record<string, Entry>> = {
  status: { summary: 'show what is collected, stored and sent', load: () => import('./commands/status.ts') },
  why: {
    summary: 'say why things are as they are, and what would change it',
    load: () => import('./commands/why.ts'),
  },
  inspect: {
    summary: 'show what was recorded of you, or verify files',
    load: () => import('./commands/inspect.ts'),
  },
  log: {
    summary: 'print the record of everything captured and sent',
    load: () => import('./commands/log.ts'),
  },
  report: { summary: 'write all of it as a page with pictures', load: () => import('./commands/report.ts') },
  notice: {
    summary: 'print what is recorded, why, and who reads it',
    load: () => import('./commands/notice.ts'),
  },
  pause: { summary: 'stop collecting for a while', load: () => import('./commands/pause.ts') },
  resume: { summary: 'end a pause now', load: () => import('./commands/resume.ts') },
  consent: { summary: 'show, grant or revoke consent', load: () => import('./commands/consent.ts') },
  exempt: { summary: 'ask not to be captured for a while', load: () => import('./commands/exempt.ts') },
  purge: {
    summary: 'remove what was recorded, here and where it was sent',
    load: () => import('./commands/purge.ts'),
  },
  exclude: {
    summary: 'leave out an application or a window title',
    load: () => import('./commands/exclude.ts'),
  },
  upload: { summary: 'show uploads, or start one now', load: () => import('./commands/upload.ts') },
  enroll: {
    summary: 'make this device known to a collector',
    load: () => import('./commands/enroll.ts'),
  },
  policy: {
    summary: 'show the policy in force, or check a file',
    load: () => import('./commands/policy.ts'),
  },
  doctor: {
    summary: 'check that all of it works, with what to do',
    load: () => import('./commands/doctor.ts'),
  },
  bugreport: {
    summary: 'write a report on a fault, with nothing of yours in it',
    load: () => import('./commands/bugreport.ts'),
  },
  export: {
    summary: 'write recorded events as JSON lines, CSV or Parquet',
    load: () => import('./commands/export.ts'),
  },
  completion: {
    summary: 'print what makes a shell complete these commands',
    load: () => import('./commands/completion.ts'),
  },
};

const EXAMPLES = ['telemetryctl status', 'telemetryctl pause 30m --reason "entering a password"'];

/** How a tree is built, and where what happens in it goes. */
export interface TreeOptions {
  readonly finish: Finish;
  /** Takes what commander would write to standard error. */
  readonly complain: (text: string) => void;
  /** Commands that get their options, arguments, examples and action; the others have a name and a summary. */
  readonly isWanted: (name: string) => boolean;
}

/** The commands of telemetryctl. */
export async function commandTree(io: CliIo, { finish, complain, isWanted }: TreeOptions): Promise<Command> {
  const program = new Command('telemetryctl')
    .description('Shows and controls telemetryd on this machine.')
    .version(VERSION, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: complain,
      getOutHelpWidth: () => 80,
      getErrHelpWidth: () => 80,
    });
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    const command = program.command(name).summary(summary).description(capitalised(summary));
    if (isWanted(name)) (await load()).define(command, io, finish);
  }
  // Last, so that only this page is laid out like this: with a line for each command it just fits a screen.
  return program.configureHelp({ formatHelp: overview });
}

/** Whether telemetryctl has this command. */
export function isCommand(name: string): boolean {
  return Object.hasOwn(COMMANDS, name);
}

/** Text with its first letter large. */
export function capitalised(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

function overview(program: Command): string {
  const width = Math.max(...program.commands.map((command) => command.name().length));
  return [
    'Usage: telemetryctl COMMAND, or COMMAND --help for its options; --version',
    ...program.commands.map((command) => `  ${command.name().padEnd(width)}  ${command.summary()}`),
    '',
    'Examples:',
    ...EXAMPLES.map((example) => `  ${example}`),
    '',
  ].join('\n');
}
