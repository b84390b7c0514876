import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { booksInFolder } from '../../src/collector/books.ts';
import { freeBytesOf } from '../../src/collector/data-folder.ts';
import { ErasureLogFile } from '../../src/collector/erasure-log.ts';
import { openIdentity } from '../../src/collector/identity-file.ts';
import { FileObjectStore } from '../../src/collector/object-store-files.ts';
import { requestLimits } from '../../src/collector/request-limiter.ts';
import type { SegmentKey } from '../../src/collector/segment-key.ts';
import { type ServeOptions, serve } from '../../src/collector/serve-command.ts';
import { SERVER_LIMITS } from '../../src/collector/server-limits.ts';

const ROOT = join(import.meta.dirname, '../..');

interface LogLine {
  readonly fields: object;
  readonly message: string;
}

/** A collector of this process on a real port. */
export interface RunningCollector {
  readonly url: string;
  /** Of the page, where it was asked for. */
  readonly pageUrl: string;
  readonly dataDir: string;
  readonly log: LogLine[];
  stop(): Promise<void>;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A folder that goes away with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'collector-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function startCollector(
  dataDir: string,
  options: Partial<ServeOptions> = {},
): Promise<RunningCollector> {
  const stop = new AbortController();
  const log: LogLine[] = [];
  const keep = (fields: object, message: string): void => void log.push({ fields, message });
  const announced = Promise.withResolvers<string>();
  const pageAnnounced = Promise.withResolvers<string>();
  const served = serve(
    {
      listen: { host: '127.0.0.1', port: 0 },
      maxSegmentBytes: 1_000_000,
      retentionMs: 365 * 86_400_000,
      maxBodies: 64,
      requests: requestLimits(10_000, 10_000),
      drainMs: 20_000,
      metricsListen: null,
      erasureLog: null,
      limits: SERVER_LIMITS,
      tls: null,
      publicUrl: null,
      isEnrolmentRequired: false,
      page: null,
      ...options,
    },
    {
      store: new FileObjectStore(dataDir),
      ...booksInFolder(dataDir, 'read-write', Date.now),
      openIdentity: () => openIdentity(dataDir),
      log: { debug: keep, info: keep, warn: keep, error: keep },
      wallMs: Date.now,
      monoMs: () => performance.now(),
      erasureLog: typeof options.erasureLog === 'string' ? new ErasureLogFile(options.erasureLog) : null,
      freeBytes: () => freeBytesOf(dataDir),
      delay: (ms, signal) => delay(ms, undefined, { signal }),
      announce: announced.resolve,
      announcePage: pageAnnounced.resolve,
    },
    stop.signal,
  );
  served.catch((error: unknown) => {
    announced.reject(error);
    pageAnnounced.resolve('');
  });
  const url = await announced.promise;
  const pageUrl = options.page === undefined ? '' : await pageAnnounced.promise;
  const stopAndWait = async (): Promise<void> => {
    stop.abort();
    await served;
  };
  onTestFinished(stopAndWait);
  return { url, pageUrl, dataDir, log, stop: stopAndWait };
}

export function newKey(): SegmentKey {
  return { device: randomUUID(), segment: randomUUID() };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function digestField(bytes: Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;
}

export function pathOf(key: SegmentKey): string {
  return `/v1/devices/${key.device}/segments/${key.segment}`;
}

/** One PUT on a connection of its own; rejects when the connection ends without a reply. */
export function put(
  url: string,
  key: SegmentKey,
  body: Uint8Array,
  headers: Record<string, string> = { 'content-digest': digestField(body) },
): Promise<Reply> {
  return putTo(`${url}${pathOf(key)}`, body, headers);
}

/** The same that says what is in `query`. */
export function putSaying(
  url: string,
  key: SegmentKey,
  query: string,
  body: Uint8Array = randomBytes(100),
): Promise<Reply> {
  return putTo(`${url}${pathOf(key)}?${query}`, body, { 'content-digest': digestField(body) });
}

/** One POST of JSON, or of a text that is none. */
export async function post(url: string, body: unknown): Promise<{ status: number; json: unknown }> {
  const response = await fetch(url, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  return { status: response.status, json: await response.json() };
}

function putTo(url: string, body: Uint8Array, headers: Record<string, string>): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, {
      method: 'PUT',
      agent: false,
      headers: { 'content-length': String(body.byteLength), ...headers },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    request.end(body);
  });
}

export function errorCode(reply: Pick<Reply, 'body'>): string {
  const { error } = JSON.parse(reply.body) as { error: { code: string; message: string; hint: string } };
  if (error.message === '' || error.hint === '') throw new Error('an error without message or hint');
  return error.code;
}

/** Relative paths of all files below `segments/` and `incoming/`. */
export async function keptFiles(dataDir: string): Promise<string[]> {
  const names = await readdir(dataDir, { recursive: true, withFileTypes: true });
  return names
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dataDir.length + 1))
    .filter((name) => name.startsWith('segments/') || name.startsWith('incoming/'))
    .sort();
}

/** Waits until `check` holds; fails after a minute, as machines are slow at times. */
export async function eventually(check: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 60_000;
  while (!(await check())) {
    if (Date.now() > endMs) throw new Error('it did not happen within a minute');
    await delay(5);
  }
}

/** Everything that an asynchronous iterable gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The program as it is shipped, which is built before the tests. */
export const COLLECTOR_PROGRAM = join(ROOT, 'dist/telemetry-collector.js');

/** The program `serve`, as a process. Killed with the test. */
export interface CollectorProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** Resolves with the exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
}

export async function spawnCollector(
  file: string,
  dataDir: string,
  more: string[] = [],
): Promise<CollectorProcess> {
  const child = spawn(
    process.execPath,
    [file, 'serve', '--data', dataDir, '--listen', '127.0.0.1:0', ...more],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit').then(
    ([code, signal]: (number | string | null)[]) => code ?? signal ?? '',
  );
  let text = '';
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    const url = /^listening on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(text)?.[1];
    if (url !== undefined) return { url, child, ended };
  }
  throw new Error(`the collector did not start: ${text}`);
}

export interface ProgramResult {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program to its end. */
export async function runProgram(file: string, args: string[], env = process.env): Promise<ProgramResult> {
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code: code ?? signal ?? '', ...output };
}

export interface Listed {
  readonly device: string;
  readonly segment: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly receivedAt: string;
  readonly path: string;
}

/** `ls --json` through the program. Checks that every listed file is there with the listed size and digest. */
export async function listAndVerify(file: string, dataDir: string): Promise<Listed[]> {
  const { code, stdout, stderr } = await runProgram(file, ['ls', '--json', '--data', dataDir]);
  if (code !== 0) throw new Error(`ls failed: ${stderr}`);
  const document = JSON.parse(stdout) as { schema: number; segments: Listed[] };
  if (document.schema !== 1) throw new Error('another schema');
  for (const listed of document.segments) {
    const bytes = await readFile(listed.path);
    if (bytes.byteLength !== listed.sizeBytes || sha256(bytes) !== listed.sha256) {
      throw new Error(`${listed.path} is not what is listed`);
    }
  }
  return document.segments;
}
