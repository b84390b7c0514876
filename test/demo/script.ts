import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';

/** The folder of the code under test, for `import` in a script. */
export const DEMO = fileURLToPath(new URL('../../src/demo', import.meta.url));

/** A short program as `node` takes it, which may import the sources. */
export function script(code: string): string[] {
  return ['--input-type=module', '-e', code];
}

/** A process with everything it wrote so far. */
export class Watched {
  readonly child: ChildProcessWithoutNullStreams;
  output = '';

  constructor(
    file: string,
    args: readonly string[],
    env: Readonly<Record<string, string | undefined>> = process.env,
  ) {
    this.child = spawn(file, args, { env });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (bytes: Buffer) => {
        this.output += bytes.toString('utf8');
      });
    }
    onTestFinished(() => void this.child.kill('SIGKILL'));
  }

  /** Waits until the output matches, and returns the match. */
  async says(pattern: RegExp, timeoutMs = 10_000): Promise<RegExpExecArray> {
    await expect.poll(() => this.output, { timeout: timeoutMs, interval: 20 }).toMatch(pattern);
    const found = pattern.exec(this.output);
    if (found === null) throw new Error('unreachable: the output only grows');
    return found;
  }

  /** Waits for the end and returns the exit code, or the signal's name. */
  async ends(timeoutMs = 10_000): Promise<number | string> {
    const how = (): number | string | null => this.child.exitCode ?? this.child.signalCode;
    await expect.poll(how, { timeout: timeoutMs, interval: 20 }).not.toBeNull();
    return how() ?? 0;
  }
}

/** Whether a process is there and not a zombie (proc(5), the third field of `stat`). */
export function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z');
}
