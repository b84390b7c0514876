import { readFileSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Delay } from '../../delay-node.ts';
import { BackendFailure } from '../backend.ts';
import { findCookie } from './x-authority.ts';
import { XConnection, type XWire } from './x-connection.ts';
import { parseDisplay, readSetupReply, setupReplyBytes, setupRequest, type XSetup } from './x-setup.ts';

/** A server that does not answer within this is hung; a busy one answers in milliseconds. */
const SETUP_TIMEOUT_MS = 5000;
/** A quarter of a second of a thousand events a second, each in a packet of its own, is 16 kB. */
const READ_BYTES = 16 * 1024;
const ROOT_UID = 0;

export interface XDisplayOptions {
  /** `DISPLAY`, `XAUTHORITY` and `HOME` count. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly hostname: string;
  /** Whose displays may be opened, beside root's: our own user id. */
  readonly uid: number;
  readonly delay: Delay;
  /** See {@link XWire}. */
  readonly onRead?: XWire['onRead'];
}

/**
 * Connects to the display of the environment; rejects with {@link BackendFailure} that says what is wrong. Only a
 * display of this machine and of this user, or of root (who runs Xorg on many systems), is opened: another's input, or
 * what is typed on another machine, is not ours to see.
 */
export async function openDisplay(options: XDisplayOptions, signal: AbortSignal): Promise<XConnection> {
  const number = displayNumber(options.env);
  const path = `/tmp/.X11-unix/X${number}`;
  checkOwner(path, number, options.uid);
  let take: (chunk: Buffer) => void = () => undefined;
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  const socket = await openSocket(path, number, buffer, (chunk) => take(chunk));
  const cancelTimeout = options.delay(SETUP_TIMEOUT_MS, () => socket.destroy());
  const giveUp = (): void => void socket.destroy();
  // Not an option of the socket: the signal is for the start alone, and what comes before a stop is still read.
  signal.addEventListener('abort', giveUp);
  if (signal.aborted) giveUp();
  try {
    const reply = whenReplied(socket, number, (taker) => (take = taker));
    socket.write(setupRequest(readCookie(options, number)));
    const onRead = options.onRead ?? ((): void => undefined);
    const connection = new XConnection({ socket, buffer, onRead }, await reply);
    take = (chunk) => connection.push(chunk);
    return connection;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    cancelTimeout();
    signal.removeEventListener('abort', giveUp);
  }
}

const NO_DISPLAY_HINT = 'start it from a desktop session, or set DISPLAY; it is tried again by itself';

function displayNumber(env: XDisplayOptions['env']): string {
  const name = env['DISPLAY'] ?? '';
  if (name === '') {
    throw new BackendFailure(
      'no-display',
      'DISPLAY is not set: there is no X display to capture.',
      NO_DISPLAY_HINT,
    );
  }
  const display = parseDisplay(name);
  if (display === 'malformed') {
    throw new BackendFailure(
      'no-display',
      'DISPLAY does not name an X display.',
      'set it to something like ":0"',
    );
  }
  if (display === 'forwarded') {
    throw new BackendFailure(
      'display-forwarded',
      'DISPLAY leads to another machine; only a display of this one is captured.',
      'run telemetryd in the desktop session itself, with DISPLAY such as ":0"',
    );
  }
  return display.number;
}

/**
 * The socket's file belongs to whoever runs the server. Abstract sockets, which servers open beside it, have no owner
 * that could be read here, so they are not used. Read at once, as the cookie is: `fs/promises` and the threads that it
 * reads with hold 0.35 MB.
 */
function checkOwner(path: string, number: string, uid: number): void {
  let owner: number;
  try {
    owner = statSync(path).uid;
  } catch (cause) {
    throw noServer(number, cause);
  }
  if (owner === uid || owner === ROOT_UID) return;
  throw new BackendFailure(
    'display-foreign',
    `The X server on display :${number} is run by another user (uid ${owner}).`,
    'set DISPLAY to a display of your own session',
  );
}

function openSocket(
  path: string,
  number: string,
  buffer: Buffer,
  take: (chunk: Buffer) => void,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const callback = (sizeBytes: number): boolean => {
      take(buffer.subarray(0, sizeBytes));
      return true;
    };
    const socket = connect({ path, onread: { buffer, callback } });
    socket.once('connect', () => resolve(socket));
    socket.on('error', (cause) => {
      socket.destroy();
      reject(noServer(number, cause));
    });
  });
}

function noServer(number: string, cause: unknown): BackendFailure {
  return new BackendFailure(
    'no-display',
    `There is no X server on display :${number}.`,
    NO_DISPLAY_HINT,
    cause,
  );
}

function readCookie(options: XDisplayOptions, displayNumber: string): Uint8Array | undefined {
  const { env, hostname } = options;
  const home = env['HOME'] ?? '';
  const file = env['XAUTHORITY'] ?? (home === '' ? '' : join(home, '.Xauthority'));
  if (file === '') return undefined;
  try {
    return findCookie(readFileSync(file), hostname, displayNumber);
  } catch {
    // No such file, or not ours to read: the server says whether it wants a cookie.
    return undefined;
  }
}

function whenReplied(
  socket: Socket,
  number: string,
  setTaker: (take: (chunk: Buffer) => void) => void,
): Promise<XSetup> {
  const noAnswer = new BackendFailure(
    'no-display',
    `The X server on display :${number} does not answer.`,
    NO_DISPLAY_HINT,
  );
  const replied = Promise.withResolvers<XSetup>();
  // Whoever waits for it hears of it.
  replied.promise.catch(() => undefined);
  let received = Buffer.alloc(0);
  socket.once('close', () => replied.reject(noAnswer));
  setTaker((chunk) => {
    received = Buffer.concat([received, chunk]);
    if (received.length < 8 || received.length < setupReplyBytes(received)) return;
    const reply = readSetupReply(received);
    if (reply?.type === 'accepted') replied.resolve(reply.setup);
    else replied.reject(reply === undefined ? noAnswer : refused(number, reply.text));
  });
  return replied.promise;
}

function refused(number: string, text: string): BackendFailure {
  return new BackendFailure(
    'display-refused',
    `The X server on display :${number} refuses us: ${text === '' ? 'no reason given' : text}.`,
    'check that XAUTHORITY names this session’s cookie file',
  );
}
