import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ownDisplayNumber } from '../display-number.ts';

const run = promisify(execFile);

/** The X tools these tests need; without them they are skipped. */
export const hasX = ['Xvfb', 'xdotool'].every((tool) => existsSync(`/usr/bin/${tool}`));

/** A real X server for one test, on a display number of its own that it keeps over a restart. */
export class Xvfb {
  readonly #args: readonly string[];
  #number = -1;
  #server: ChildProcess | null = null;

  constructor(args: readonly string[] = []) {
    this.#args = args;
  }

  get display(): string {
    return `:${this.#number}`;
  }

  get pid(): number | undefined {
    return this.#server?.pid;
  }

  get #socketPath(): string {
    return `/tmp/.X11-unix/X${this.#number}`;
  }

  async start(): Promise<this> {
    if (this.#number < 0) this.#number = ownDisplayNumber();
    const screen = ['-screen', '0', '1280x800x24'];
    const args = [this.display, '-displayfd', '1', ...screen, '-nolisten', 'tcp', '-noreset'];
    const server = spawn('Xvfb', [...args, ...this.#args], { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#server = server;
    let said = '';
    server.stdout.setEncoding('latin1').on('data', (text: string) => (said += text));
    for (let i = 0; i < 800 && server.exitCode === null; i++) {
      // The socket's file may be left over from a server that was killed: only an answer counts.
      if (said !== '' && (await answers(this.#socketPath))) return this;
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
    await this.run('xdotool', ...args);
  }

  /** Runs a program on this display; gives what it printed. */
  async run(program: string, ...args: (string | number)[]): Promise<string> {
    const { stdout } = await run(program, args.map(String), {
      env: { ...process.env, DISPLAY: this.display },
    });
    return stdout;
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
