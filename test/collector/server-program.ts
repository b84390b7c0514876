import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Resolves once a program wrote `words` to its standard error. */
export async function said(program: ChildProcess, words: string): Promise<void> {
  const lines: string[] = [];
  const reader = createInterface({ input: program.stderr ?? process.stdin });
  for await (const line of reader) {
    lines.push(line);
    if (!line.includes(words)) continue;
    // What it says later is read away, so that it never waits for a reader.
    program.stderr?.resume();
    return;
  }
  throw new Error(`it ended:\n${lines.join('\n')}`);
}

/** Runs a program to its end. */
export function run([program = '', ...args]: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8', cwd: '/' });
  if (status !== 0) throw new Error(`${program} failed: ${stderr}`);
}

/** Ends a program and waits for that. */
export async function end(program: ChildProcess | undefined, signal: 'SIGKILL' | 'SIGQUIT'): Promise<void> {
  if (program?.exitCode !== null || program.signalCode !== null) return;
  const ended = once(program, 'exit');
  program.kill('SIGCONT');
  program.kill(signal);
  await ended;
}

/** Whether Debian's programs of these names are there. */
export function areInstalled(...names: readonly string[]): boolean {
  return names.every((name) => existsSync(`/usr/bin/${name}`));
}
