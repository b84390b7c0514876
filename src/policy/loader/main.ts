import { EXIT } from '../../core/errors.ts';
import { loadPolicyFiles } from '../load.ts';
import { parseLoaderArguments } from './arguments.ts';

/**
 * The policy reader, a program that lives for one reading, so that the daemon need not hold the parser and the schema
 * in memory. Writes one line of JSON, a `LoadedPolicy` or a `Refused`; both are answers, and the exit code is 0.
 */
export function runPolicyLoader(args: readonly string[], write: (line: string) => void): number {
  write(`${JSON.stringify(loadPolicyFiles(parseLoaderArguments(args)))}\n`);
  return EXIT.ok;
}
