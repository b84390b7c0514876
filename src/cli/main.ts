import { showStatus } from './commands/status.ts';
import { fail } from './fail.ts';
import type { CliIo } from './io.ts';

/**
 * Runs one command line (without `node` and the script) and resolves with the exit code; never rejects.
 *
 * `status` and `status --json` are what scripts, bars and prompts call again and again, so they take a short way past
 * the parser and every other command. Anything else, `status --help` too, goes through `program.ts`.
 */
export async function main(argv: readonly string[], io: CliIo): Promise<number> {
  try {
    const [command, flag] = argv;
    if (command === 'status' && argv.length <= 2 && (flag === undefined || flag === '--json')) {
      return await showStatus(io, { isJson: flag === '--json' });
    }
    const { runProgram } = await import('./program.ts');
    return await runProgram(argv, io);
  } catch (error) {
    return fail(error, io);
  }
}
