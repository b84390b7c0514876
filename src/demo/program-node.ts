import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';
import { TelemetryError } from '../core/errors.ts';

/** What to start. */
export interface ProgramSpec {
  /** How messages call it. */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where its standard error goes (a file descriptor), and its standard output unless that is read. */
  readonly logFd: number;
  /** Which of its descriptors {@link Program.line} reads; its output goes to the log otherwise. */
  readonly readsFrom?: 1 | 3;
}

/**
 * A program in a session of its own, so that Ctrl-C on the terminal reaches only us and the order of stopping is ours.
 * Its standard input is a pipe that ends when we do, however that happens.
 */
export interface Program {
  readonly name: string;
  /** Resolves, with how it ended in words, when the process is gone; never rejects. */
  readonly ended: Promise<string>;
  /** The first line it writes to `readsFrom` that `pattern` matches. Rejects when it ends first, or after 15 s. */
  line(pattern: RegExp, signal: AbortSignal): Promise<RegExpExecArray>;
  /** Sends SIGTERM, and SIGKILL when it is not gone after `graceMs`. */
  stop(graceMs: number): Promise<string>;
}

const READY_WITHIN_MS = 15_000;

export function startProgram(spec: ProgramSpec): Program {
  const { logFd, readsFrom } = spec;
  const stdio: StdioOptions = ['pipe', readsFrom === 1 ? 'pipe' : logFd, logFd];
  if (readsFrom === 3) stdio.push('pipe');
  const child = spawn(spec.file, spec.args, { env: spec.env, stdio, detached: true });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `exit code ${code ?? 0}` : `killed by ${signal}`),
    );
  });
  const output = readsFrom === undefined ? null : (child.stdio[readsFrom] as Readable);
  return {
    name: spec.name,
    ended,
    line: (pattern, signal) => firstLine(spec.name, output, ended, pattern, signal),
    stop: (graceMs) => stop(child, ended, graceMs),
  };
}

/** Where a program lies, by the path; `undefined` when it is not installed. */
export function findProgram(name: string, path = ''): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
}

function firstLine(
  name: string,
  output: Readable | null,
  ended: Promise<string>,
  pattern: RegExp,
  signal: AbortSignal,
): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let text = '';
    const giveUp = AbortSignal.any([signal, AbortSignal.timeout(READY_WITHIN_MS)]);
    giveUp.addEventListener('abort', () =>
      reject(new TelemetryError('failed', `${name} did not become ready.`)),
    );
    void ended.then((how) =>
      reject(new TelemetryError('failed', `${name} ended before it was ready: ${how}.`)),
    );
    // Goes on reading after the line was found: a full pipe would stop the program.
    output?.on('data', (bytes: Buffer) => {
      if (text.length > MAX_PREAMBLE) return;
      text += bytes.toString('utf8');
      const found = text
        .split('\n')
        .slice(0, -1)
        .map((line) => pattern.exec(line))
        .find((match) => match !== null);
      if (found !== undefined) resolve(found);
    });
  });
}

/** Nothing is ready that has written so much without saying so. */
const MAX_PREAMBLE = 64 * 1024;

async function stop(child: ChildProcess, ended: Promise<string>, graceMs: number): Promise<string> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return ended;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  try {
    return await ended;
  } finally {
    clearTimeout(timer);
  }
}
