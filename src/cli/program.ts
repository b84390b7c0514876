import { CommanderError } from 'commander';
import { withoutHelpOnUnknown } from '../core/command-words.ts';
import { EXIT, TelemetryError } from '../core/errors.ts';
import { capitalised, commandTree, isCommand } from './command-tree.ts';
import type { CliIo } from './io.ts';

/** The one command that speaks of all others. */
const NEEDS_ALL = 'completion';

/** Parses a command line with commander and runs it; resolves with the exit code. */
export async function runProgram(argv: readonly string[], io: CliIo): Promise<number> {
  let exitCode: number = EXIT.ok;
  let complaint = '';
  const wanted = argv.find((word) => !word.startsWith('-'));
  const program = await commandTree(io, {
    finish: (code) => {
      exitCode = code;
    },
    complain: (text) => {
      complaint += text;
    },
    isWanted: (name) => name === wanted || wanted === NEEDS_ALL,
  });
  try {
    await program.parseAsync(withoutHelpOnUnknown(program, argv), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT.ok;
    throw usageError(error, complaint, argv);
  }
  return exitCode;
}

function usageError(error: CommanderError, complaint: string, argv: readonly string[]): TelemetryError {
  const [name = ''] = argv;
  const help = isCommand(name) ? `telemetryctl ${name} --help` : 'telemetryctl --help';
  if (error.code === 'commander.help')
    return new TelemetryError('usage', 'No command was given.', { hint: help });
  const text = complaint
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace(/^error: /, '');
  return new TelemetryError('usage', `${capitalised(text)}.`, { hint: help });
}
