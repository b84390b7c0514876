import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { DatasetAnswer, DatasetJob } from '../../core/dataset-job.ts';
import type { TelemetryError } from '../../core/errors.ts';
import { SAFE_FLAGS } from '../../core/node-flags.ts';
import { openerFailure } from '../opener-failure.ts';

/** Makes segments into tables, one after the other. */
export interface DatasetWriter {
  write(job: DatasetJob): Promise<DatasetAnswer>;
}

/** The program that opens segments, which this one cannot: see `src/dataset`. It ends with this process. */
export class DatasetWriterProcess implements DatasetWriter {
  readonly #identityFiles: readonly string[];
  readonly #program: string;
  #child: ChildProcess | null = null;
  #lines: AsyncIterator<string> | null = null;
  #reader: Interface | null = null;
  #said = '';

  constructor(
    identityFiles: readonly string[],
    program = fileURLToPath(new URL('./dataset-writer.js', import.meta.url)),
  ) {
    this.#identityFiles = identityFiles;
    this.#program = program;
  }

  /** Resolves once it has read the identities; throws what it says of them. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [...SAFE_FLAGS, this.#program, ...this.#identityFiles], {
      env: {},
      stdio: ['pipe', 'pipe', 'pipe'],
      // Ctrl-C is for this process: it ends the other once the segment at hand is done.
      detached: true,
    });
    this.#child = child;
    child.stderr.on('data', (part: Buffer) => (this.#said += part.toString('utf8')));
    // A program that ends before it has read everything: its exit says so.
    child.stdin.on('error', () => undefined);
    this.#reader = createInterface({ input: child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
    if ((await this.#line()) !== 'ready')
      throw new Error('the dataset writer said something else than ready');
  }

  async write(job: DatasetJob): Promise<DatasetAnswer> {
    this.#child?.stdin?.write(`${JSON.stringify(job)}\n`);
    return JSON.parse(await this.#line()) as DatasetAnswer;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null) return;
    child.stdin?.end();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    this.#reader?.close();
  }

  async #line(): Promise<string> {
    const next = await this.#lines?.next();
    if (next?.done === false) return next.value;
    throw await this.#failure();
  }

  async #failure(): Promise<TelemetryError> {
    const child = this.#child;
    if (child !== null && child.exitCode === null && child.signalCode === null) await once(child, 'close');
    const exitCode = child?.exitCode ?? null;
    const how = child?.signalCode ?? `exit code ${exitCode ?? 'unknown'}`;
    return openerFailure(exitCode, this.#said, {
      message: `the program that opens segments ended (${how})`,
      op: 'open segments',
      hint: 'run it again; it goes on where it was',
    });
  }
}
