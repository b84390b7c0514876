import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { CaptureConfig, ChildCommand, ChildMessage } from '../core/capture.ts';
import type { Reason } from '../core/collection.ts';
import { TelemetryError } from '../core/errors.ts';
import type { Delay } from './delay-node.ts';
import { type ChildExit, exitReason, NOT_STARTED_IN_TIME } from './exit-reasons.ts';
import { decodeMessage, encodeCommand, encodeConfig, FrameDecoder } from './wire.ts';

/** The child took 51 to 219 ms to hand over its last batch and go; a stop must be over within a second. */
const STOP_TIMEOUT_MS = 700;
/** Start took 0.6 to 0.9 s on two busy cores; a hung X server is given up after 5 s by the child itself. */
const START_TIMEOUT_MS = 20_000;
/** Enough for the last words of a crash. */
const STDERR_KEPT_CHARS = 2048;

export interface CaptureChildOptions {
  /** The Node to run it with: `process.execPath`. */
  readonly execPath: string;
  /** Node's own flags, such as `--disable-sigusr1`. */
  readonly flags: readonly string[];
  /** The child's program: `dist/capture-child.js`. */
  readonly entryFile: string;
  /** The whole environment of the child, nothing else gets in. */
  readonly env: Readonly<Record<string, string>>;
  readonly delay: Delay;
  /** Everything the child says, in order; never after {@link onExit}. */
  readonly onMessage: (message: ChildMessage) => void;
  /** Called once, when the process is gone and all it said has been delivered; code `stopped` after {@link stop}. */
  readonly onExit: (reason: Reason) => void;
}

/** One capture process, from its start to its end. For the next one make a new object. */
export class CaptureChild {
  readonly #options: CaptureChildOptions;
  readonly #gone = Promise.withResolvers<undefined>();
  #process: ChildProcess | null = null;
  #pipe: Duplex | null = null;
  #stderr = '';
  #said: Reason | null = null;
  #killedFor: Reason | null = null;
  #isStopped = false;
  #isGone = false;
  #cancelTimeout: () => void = () => undefined;

  constructor(options: CaptureChildOptions) {
    this.#options = options;
  }

  /** Process id while the process exists, else `null`. */
  get pid(): number | null {
    return this.#isGone ? null : (this.#process?.pid ?? null);
  }

  /** The end of what the child wrote to stderr, printable, at most 2 KB; for debug logs. */
  get stderrTail(): string {
    return printable(this.#stderr).trim();
  }

  /** Starts the process. What goes wrong is told through `onExit`. */
  start(config: CaptureConfig): void {
    if (this.#process !== null || this.#isStopped) {
      throw new TelemetryError('failed', 'A capture process is started only once.', { op: 'start capture' });
    }
    const { execPath, flags, entryFile, env, delay } = this.#options;
    const child = spawn(execPath, [...flags, entryFile], {
      env,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    child.on('error', (error) => this.#onSpawnError(error));
    child.on('close', (code, signal) => this.#onClose(code, signal));
    child.stderr?.setEncoding('latin1').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT_CHARS);
    });
    const pipe = child.stdio[3] as Duplex | null | undefined;
    if (pipe === null || pipe === undefined) return;
    this.#pipe = pipe;
    // A child that is gone resets the pipe; its exit says why.
    pipe.on('error', () => undefined);
    const decoder = new FrameDecoder();
    pipe.on('data', (chunk: Buffer) => this.#onData(decoder, chunk));
    pipe.write(encodeConfig(config));
    this.#cancelTimeout = delay(START_TIMEOUT_MS, () => this.#kill(NOT_STARTED_IN_TIME));
  }

  /** Tells the child something; one that is stopping or gone is not told. */
  send(command: ChildCommand): void {
    if (!this.#isStopped && !this.#isGone) this.#pipe?.write(encodeCommand(command));
  }

  /** Ends the process at once, for a reason that `onExit` gives. */
  kill(reason: Reason): void {
    if (!this.#isStopped && !this.#isGone) this.#kill(reason);
  }

  /**
   * Asks the child to hand over what it has and go, kills it after 700 ms; resolves when the process is gone and
   * `onExit` has been called. Safe to call at any time and more than once.
   */
  stop(): Promise<void> {
    if (this.#process === null) this.#isStopped = true;
    if (this.#process === null || this.#isGone) return Promise.resolve();
    if (!this.#isStopped) {
      this.#isStopped = true;
      this.#pipe?.end();
      this.#cancelTimeout();
      this.#cancelTimeout = this.#options.delay(STOP_TIMEOUT_MS, () => this.#process?.kill('SIGKILL'));
    }
    return this.#gone.promise;
  }

  #onData(decoder: FrameDecoder, chunk: Buffer): void {
    if (this.#killedFor !== null) return;
    let messages: ChildMessage[];
    try {
      messages = decoder.push(chunk).map(decodeMessage);
    } catch (error) {
      if (!(error instanceof TelemetryError)) throw error;
      this.#kill({ code: 'bad-message', text: error.message, hint: error.hint });
      return;
    }
    for (const message of messages) this.#onMessage(message);
  }

  #onMessage(message: ChildMessage): void {
    if (message.type === 'ready' && !this.#isStopped) this.#cancelTimeout();
    if (message.type === 'failed') this.#said = message.reason;
    this.#options.onMessage(message);
  }

  #kill(reason: Reason): void {
    this.#killedFor = reason;
    this.#process?.kill('SIGKILL');
  }

  #onSpawnError(error: Error): void {
    // Also emitted when a signal cannot be sent; then the process exists and its exit follows.
    if (this.#process?.pid !== undefined) return;
    const code = 'code' in error ? String(error.code) : 'unknown error';
    this.#finish({
      code: 'not-startable',
      text: `The capture process could not be started (${code}).`,
      hint: 'check that Node is where it was when the daemon started, and the limits on processes and memory',
    });
  }

  #onClose(code: number | null, signal: string | null): void {
    const exit: ChildExit = {
      code,
      signal,
      stderr: this.stderrTail,
      said: this.#said,
      isStopped: this.#isStopped,
      killedFor: this.#killedFor,
    };
    this.#finish(exitReason(exit));
  }

  #finish(reason: Reason): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#cancelTimeout();
    this.#pipe?.destroy();
    this.#options.onExit(reason);
    this.#gone.resolve(undefined);
  }
}

/** Control and formatting characters out: what a crash prints must not drive a terminal. */
function printable(text: string): string {
  return text.replace(/[^\n\x20-\x7e]/g, '?');
}
