import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The X tools these tests need; without them they are skipped. */
export const hasX = ['Xvfb', 'xdotool'].every((tool) => existsSync(`/usr/bin/${tool}`));

/** A real X server for one test, on a display number of its own. */
export class Xvfb {
  readonly display: string;
  readonly #number: number;
  readonly #args: readonly string[];
  #server: ChildProcess | null = null;

  constructor(number: number, args: readonly string[] = []) {
    this.display = `:${number}`;
    this.#number = number;
    this.#args = args;
  }

  get pid(): number | undefined {
    return this.#server?.pid;
  }

  get #socketPath(): string {
    return `/tmp/.X11-unix/X${this.#number}`;
  }

  async start(): Promise<this> {
    if (await answers(this.#socketPath))
      throw new Error(`display ${this.display} is taken by another X server`);
    const args = [this.display, '-screen', '0', '1280x800x24', '-nolisten', 'tcp', ...this.#args];
    this.#server = spawn('Xvfb', args, { stdio: 'ignore' });
    const server = this.#server;
    for (let i = 0; i < 200 && server.exitCode === null; i++) {
      // The socket's file may be left over from a server that was killed: only an answer counts.
      if (await answers(this.#socketPath)) return this;
      await sleep(25);
    }
    throw new Error(`Xvfb ${this.display} did not start`);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null || server.exitCode !== null || server.signalCode !== null) return;
    const gone = new Promise((resolve) => server.once('exit', resolve));
    server.kill(signal);
    await gone;
    if (signal === 'SIGKILL') {
      await Promise.all(
        [this.#socketPath, `/tmp/.X${this.#number}-lock`].map((file) => rm(file, { force: true })),
      );
    }
  }

  /** Runs one xdotool command line, or several chained in one. */
  async xdotool(...args: (string | number)[]): Promise<void> {
    await run('xdotool', args.map(String), { env: { ...process.env, DISPLAY: this.display } });
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
