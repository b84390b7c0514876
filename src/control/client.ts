import { lstatSync, readFileSync, type Stats } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { TelemetryError } from '../core/errors.ts';
import { ResponseReader } from './http-response.ts';
import { errorFromReply, LineSplitter } from './reply.ts';

/** A whole policy with every origin is some 10 KB. */
const MAX_REPLY_BYTES = 4 * 1024 * 1024;
/** `pause` waits for the capture process to be gone, which takes under 3 s even when it must be killed. */
const DEFAULT_TIMEOUT_MS = 20_000;

/** Options of a request. */
export interface RequestOptions {
  /** For the whole exchange; 20 s unless given. */
  readonly timeoutMs?: number;
}

/**
 * Sends one request to the daemon at `socketPath` and resolves with the JSON of its reply. Rejects with the daemon's
 * own error as a `TelemetryError`; `daemon-down` when nobody listens, `not-permitted` when the socket is somebody
 * else's, `unavailable` when what comes back is no reply.
 */
export function request(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
  options: RequestOptions = {},
): Promise<unknown> {
  const signal = AbortSignal.timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  return exchange(socketPath, requestText(method, path, body), signal, (bytes) => {
    sizeBytes += bytes.length;
    if (sizeBytes > MAX_REPLY_BYTES) throw tooMuch();
    parts.push(bytes);
  }).then(
    (status) => {
      const text = Buffer.concat(parts).toString('utf8');
      if (status === 200) return parseReply(text);
      throw errorFromReply(status, text);
    },
    (error: unknown) => {
      throw signal.aborted ? timedOut(error) : error;
    },
  );
}

/**
 * Reads a stream of JSON lines until the daemon ends it (resolves), `signal` is aborted (resolves), or something
 * fails (rejects as {@link request} does; a connection lost half-way is `unavailable`). What `onMessage` throws ends
 * the stream and rejects.
 */
export async function stream(
  socketPath: string,
  path: string,
  onMessage: (message: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  const lines = new LineSplitter(MAX_REPLY_BYTES);
  let refusal = '';
  const onBody = (bytes: Buffer, status: number): void => {
    if (status === 200) for (const line of lines.push(bytes)) onMessage(parseReply(line));
    else if (refusal.length < MAX_REPLY_BYTES) refusal += bytes.toString('utf8');
  };
  try {
    const status = await exchange(socketPath, requestText('GET', path), signal, onBody);
    if (status !== 200) throw errorFromReply(status, refusal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** One request over one connection; resolves with the status at the end of the response. */
function exchange(
  socketPath: string,
  text: string,
  signal: AbortSignal,
  onBody: (bytes: Buffer, status: number) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    checkSocket(socketPath);
    const reader = new ResponseReader();
    let status = 0;
    const socket = connect(socketPath);
    const onAbort = (): void =>
      settle(() => reject(new TelemetryError('interrupted', 'The request was cancelled.')));
    const settle = (how: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      how();
    };
    const onData = (bytes: Buffer): void => {
      for (const part of reader.push(bytes)) {
        if (part.type === 'head') status = part.status;
        else if (part.type === 'body') onBody(part.bytes, status);
        else settle(() => resolve(status));
      }
    };
    socket.on('data', guarded(socket, onData));
    socket.once('error', (error) => settle(() => reject(connectionError(error, socketPath))));
    socket.once('close', () => settle(() => (reader.isComplete ? resolve(status) : reject(cutOff()))));
    socket.write(text);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
  });
}

/** Turns what `take` throws into the end of the connection. */
function guarded(socket: Socket, take: (bytes: Buffer) => void): (bytes: Buffer) => void {
  return (bytes) => {
    try {
      take(bytes);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  };
}

function requestText(method: 'GET' | 'POST', path: string, body?: object): string {
  const head = `${method} ${path} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n`;
  if (method === 'GET') return `${head}\r\n`;
  const text = JSON.stringify(body ?? {});
  return `${head}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

/** Whoever owns the socket answers for the daemon: only root, the system service's account and the caller may. */
function checkSocket(socketPath: string): void {
  let stats: Stats;
  try {
    stats = lstatSync(socketPath);
  } catch (error) {
    throw connectionError(error, socketPath);
  }
  if (!stats.isSocket()) {
    throw new TelemetryError(
      'daemon-down',
      `${socketPath} is not a socket, so no telemetryd can listen there.`,
      {
        op: 'connect to the daemon',
        hint: 'move it away, then telemetryd run',
      },
    );
  }
  if (stats.uid === 0 || stats.uid === process.getuid?.() || stats.uid === serviceUid()) return;
  throw new TelemetryError(
    'not-permitted',
    `The socket ${socketPath} belongs to uid ${stats.uid}, not to you or root.`,
    {
      op: 'connect to the daemon',
      hint: 'set TELEMETRYD_SOCKET to your own daemon’s socket',
    },
  );
}

/** The account that the system service runs as (`sysusers.d`), from passwd(5); `null` where there is none. */
function serviceUid(): number | null {
  try {
    const line = /^telemetryd:[^:]*:(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
    return line === null ? null : Number(line[1]);
  } catch {
    return null;
  }
}

function connectionError(error: unknown, socketPath: string): Error {
  if (error instanceof TelemetryError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : '';
  const op = 'connect to the daemon';
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR') {
    return new TelemetryError('daemon-down', 'The daemon is not running.', {
      op,
      hint: 'telemetryd run',
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EPERM') {
    const hint = 'set TELEMETRYD_SOCKET to your own daemon’s socket';
    return new TelemetryError('not-permitted', `You may not use ${socketPath}.`, { op, hint, cause: error });
  }
  if (code === 'ECONNRESET' || code === 'EPIPE') return cutOff(error);
  return error instanceof Error ? error : new Error(String(error));
}

function cutOff(cause?: unknown): TelemetryError {
  return new TelemetryError(
    'unavailable',
    'The daemon closed the connection before its answer was complete.',
    {
      op: 'read the reply',
      hint: 'telemetryctl status',
      retryable: true,
      cause,
    },
  );
}

function timedOut(cause: unknown): TelemetryError {
  return new TelemetryError('unavailable', 'The daemon did not answer in time.', {
    op: 'read the reply',
    hint: 'telemetryctl status; if that does not answer either, restart telemetryd',
    retryable: true,
    cause,
  });
}

function tooMuch(): TelemetryError {
  return new TelemetryError('unavailable', 'The daemon’s answer is far too long.', { op: 'read the reply' });
}

function parseReply(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TelemetryError('unavailable', 'The daemon’s answer is not JSON.', {
      op: 'read the reply',
      cause,
    });
  }
}
