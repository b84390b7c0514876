import { execFile } from 'node:child_process';
import type { CliIo } from './io.ts';

/** How long a program may take, and how much of what it prints is taken. */
export interface OutputLimits {
  readonly timeoutMs: number;
  /** Default: 1 MiB. */
  readonly maxBytes?: number;
}

/** What a program prints, in no language; `null` when it is not there, fails, says too much or does not answer in time. */
export function programOutput(
  program: string,
  args: readonly string[],
  { around }: CliIo,
  { timeoutMs, maxBytes = 1024 * 1024 }: OutputLimits,
): Promise<string | null> {
  return new Promise((resolve) => {
    const env = { ...around.env, LC_ALL: 'C' };
    execFile(
      program,
      [...args],
      { timeout: timeoutMs, maxBuffer: maxBytes, encoding: 'utf8', env },
      (error, stdout) => resolve(error === null ? stdout : null),
    );
  });
}
