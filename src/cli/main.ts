import { showStatus } from './commands/status.ts';
import { fail } from './fail.ts';
import type { CliIo } from './io.ts';

const FORMS = new Map<string | undefined, 'page' | 'json' | 'short'>([
  [undefined, 'page'],
  ['--json', 'json'],
  ['--short', 'short'],
]);

/**
 * Runs one command line (without `node` and the script) and resolves with the exit code; never rejects.
 *
 * `status`, `status --json` and `status --short` are what scripts, bars and prompts call again and again, so they take a short way past
 * the parser and every other command. Anything else, `status --help` too, goes through `program.ts`.
 */
export async function main(argv: readonly string[], io: CliIo): Promise<number> {
  try {
    const [command, flag] = argv;
    const form = command === 'status' && argv.length <= 2 ? FORMS.get(flag) : undefined;
    if (form !== undefined) return await showStatus(io, form);
    const { runProgram } = await import('./program.ts');
    return await runProgram(argv, io);
  } catch (error) {
    return fail(error, io);
  }
}
