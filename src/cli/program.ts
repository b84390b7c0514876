import { Command, CommanderError } from 'commander';
import { EXIT, TelemetryError } from '../core/errors.ts';
import { VERSION } from '../core/version.ts';
import type { CommandModule } from './command-module.ts';
import type { CliIo } from './io.ts';

interface Entry {
  readonly summary: string;
  /** Loaded only when it is the command that was asked for. */
  readonly load: () => Promise<CommandModule>;
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  status: { summary: 'show what is collected, stored and sent', load: () => import('./commands/status.ts') },
  why: {
    summary: 'say why things are as they are, and what would change it',
    load: () => import('./commands/why.ts'),
  },
  pause: { summary: 'stop collecting for a while', load: () => import('./commands/pause.ts') },
  resume: { summary: 'end a pause now', load: () => import('./commands/resume.ts') },
  consent: { summary: 'show, grant or revoke consent', load: () => import('./commands/consent.ts') },
  exempt: { summary: 'ask not to be captured for a while', load: () => import('./commands/exempt.ts') },
  notice: {
    summary: 'print what is recorded, why, and who reads it',
    load: () => import('./commands/notice.ts'),
  },
  upload: { summary: 'show uploads, or start one now', load: () => import('./commands/upload.ts') },
  inspect: { summary: 'verify and show recorded files', load: () => import('./commands/inspect.ts') },
  export: {
    summary: 'write recorded events as JSON lines, CSV or Parquet',
    load: () => import('./commands/export.ts'),
  },
  log: {
    summary: 'print the record of everything captured and sent',
    load: () => import('./commands/log.ts'),
  },
  policy: {
    summary: 'show the policy in force, or check a file',
    load: () => import('./commands/policy.ts'),
  },
};

const EXAMPLES = `
Examples:
  telemetryctl status
  telemetryctl pause 30m --reason "entering a password"`;

/** Parses a command line with commander and runs it; resolves with the exit code. */
export async function runProgram(argv: readonly string[], io: CliIo): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = new Command('telemetryctl');
  let complaint = '';
  program
    .description('Shows and controls telemetryd on this machine.')
    .version(VERSION, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => {
        complaint += text;
      },
      getOutHelpWidth: () => 80,
      getErrHelpWidth: () => 80,
    })
    .addHelpText('after', EXAMPLES);
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    const command = program.command(name).summary(summary).description(capitalised(summary));
    if (argv.find((word) => !word.startsWith('-')) !== name) continue;
    const module = await load();
    module.define(command, io, (code) => {
      exitCode = code;
    });
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT.ok;
    throw usageError(error, complaint, argv);
  }
  return exitCode;
}

function usageError(error: CommanderError, complaint: string, argv: readonly string[]): TelemetryError {
  const [name = ''] = argv;
  const help = Object.hasOwn(COMMANDS, name) ? `telemetryctl ${name} --help` : 'telemetryctl --help';
  if (error.code === 'commander.help')
    return new TelemetryError('usage', 'No command was given.', { hint: help });
  const text = complaint
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace(/^error: /, '');
  return new TelemetryError('usage', `${capitalised(text)}.`, { hint: help });
}

function capitalised(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
