import { writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { isatty } from 'node:tty';
import { SystemClock } from '../conditions/clock-node.ts';
import type { Surroundings } from '../control/locations.ts';
import { type CliIo, OutputClosed } from './io.ts';

/** How long to wait before writing again to a full pipe that does not block. */
const RETRY_MS = 5;

/**
 * The process's own standard streams. Writes are synchronous, straight to the descriptor: nothing is lost when the
 * process ends, and `process.stdout` with its streams, some 5 ms of start time, is never made.
 */
export class ProcessIo implements CliIo {
  readonly clock = new SystemClock();
  #interrupted: AbortSignal | undefined;

  get around(): Surroundings {
    const { env, platform } = process;
    return { env, platform, uid: process.getuid?.() ?? 0, home: homedir(), cwd: process.cwd() };
  }

  get canAsk(): boolean {
    return isatty(0) && isatty(2);
  }

  get isTerminal(): boolean {
    return isatty(1);
  }

  get hasProgress(): boolean {
    return isatty(2) && process.env['TERM'] !== 'dumb';
  }

  /** By no-color.org: any value but an empty one means no colour. */
  get hasColour(): boolean {
    return this.isTerminal && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
  }

  get interrupted(): AbortSignal {
    if (this.#interrupted === undefined) {
      const controller = new AbortController();
      process.once('SIGINT', () => controller.abort());
      this.#interrupted = controller.signal;
    }
    return this.#interrupted;
  }

  out(text: string): void {
    writeAll(1, text);
  }

  err(text: string): void {
    writeAll(2, text);
  }

  async ask(question: string): Promise<string> {
    const { createInterface } = await import('node:readline');
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    return new Promise((resolve) => {
      lines.once('close', () => resolve(''));
      lines.once('SIGINT', () => {
        lines.close();
        process.kill(process.pid, 'SIGINT');
      });
      lines.question(question, (answer) => {
        resolve(answer);
        lines.close();
      });
    });
  }
}

function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (code === 'EPIPE') throw new OutputClosed();
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}
