import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

/**
 * Runs a program (of this folder, or by its path) in a process of its own, at most until the end of the test. Its
 * lines on stdout go to `onLine`.
 */
export function runChild(
  file: string,
  args: readonly string[],
  onLine: (line: string) => void = () => {},
): Child {
  const path = resolve(import.meta.dirname, file);
  const child = spawn(process.execPath, [path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout });
  lines.on('line', onLine);
  const ended = Promise.all([once(child, 'exit'), once(lines, 'close')]).then(() => child.exitCode);
  return { process: child, ended };
}

export interface Child {
  readonly process: ChildProcess;
  /** Its exit code once it is gone and its output read; `null` when it was killed. */
  readonly ended: Promise<number | null>;
}
