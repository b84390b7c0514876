import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Screen } from '../../core/capture.ts';
import type { Delay } from '../delay-node.ts';
import { BackendFailure } from './backend.ts';
import { findCookie } from './x-authority.ts';
import { parseDisplay, readSetupReply, setupReplyBytes, setupRequest } from './x-setup.ts';

/** A server that does not answer within this is hung; a busy one answers in milliseconds. */
const SETUP_TIMEOUT_MS = 5000;
/** Every reply, event and error of the core protocol that can arrive here is this long. */
const PACKET_BYTES = 32;

export interface XDisplayOptions {
  /** `DISPLAY`, `XAUTHORITY` and `HOME` count. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly hostname: string;
  readonly delay: Delay;
}

/**
 * Our own connection to the X server beside the hook's. It asks before the hook is loaded whether there is a display
 * (the hook crashes without one), learns the size of the screen, notices at once when the server goes (the hook calls
 * `exit(1)` then, without a word), and can make the server hand over what RECORD holds back.
 */
export class XDisplay {
  readonly #socket: Socket;
  readonly #rootWindow: number;
  readonly screens: readonly Screen[];
  #waiters: ((position: PointerPosition | null) => void)[] = [];
  #received: Buffer = Buffer.alloc(0);
  #isClosed = false;

  /** Use {@link connectDisplay}. */
  constructor(socket: Socket, rootWindow: number, screens: readonly Screen[]) {
    this.#socket = socket;
    this.#rootWindow = rootWindow;
    this.screens = screens;
  }

  /** Begins to listen; `onGone` is called once when the server goes. */
  watch(onGone: () => void): void {
    const gone = (): void => {
      for (const resolve of this.#waiters.splice(0)) resolve(null);
      if (this.#isClosed) return;
      this.#isClosed = true;
      onGone();
    };
    this.#socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#socket.on('close', gone);
    this.#socket.on('error', gone);
    this.#socket.on('end', gone);
  }

  /**
   * Asks where the pointer is; `null` when the server goes instead of answering. The answer has a second use: with it
   * the server flushes all clients, and RECORD's buffer (31 events) with them. Without that, events wait there until
   * any client is sent anything: on a bare Xvfb for as long as it takes (seen: 360 ms of auto-repeats arriving in one
   * burst, stamps intact).
   */
  queryPointer(): Promise<PointerPosition | null> {
    if (this.#isClosed) return Promise.resolve(null);
    const request = new Uint8Array(8);
    const view = new DataView(request.buffer);
    view.setUint8(0, 38);
    view.setUint16(2, 2, true);
    view.setUint32(4, this.#rootWindow, true);
    this.#socket.write(request);
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= PACKET_BYTES) {
      const packet = this.#received.subarray(0, PACKET_BYTES);
      this.#received = this.#received.subarray(PACKET_BYTES);
      // 1 is a reply, 0 an error; all else are events nobody can decline, such as MappingNotify.
      if (packet[0] === 1) this.#waiters.shift()?.({ x: packet.readInt16LE(16), y: packet.readInt16LE(18) });
      else if (packet[0] === 0) this.#waiters.shift()?.(null);
    }
  }
}

export interface PointerPosition {
  readonly x: number;
  readonly y: number;
}

/** Connects to the display of the environment; rejects with {@link BackendFailure} that says what is wrong. */
export async function connectDisplay(options: XDisplayOptions, signal: AbortSignal): Promise<XDisplay> {
  const name = options.env['DISPLAY'] ?? '';
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
  const socket = await connectSocket(display.number, signal);
  const cancelTimeout = options.delay(SETUP_TIMEOUT_MS, () => socket.destroy());
  const giveUp = (): void => void socket.destroy();
  signal.addEventListener('abort', giveUp);
  try {
    const cookie = await readCookie(options, display.number);
    socket.write(setupRequest(cookie));
    const reply = await readReply(socket, display.number);
    return new XDisplay(socket, reply.rootWindow, reply.screens);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    cancelTimeout();
    signal.removeEventListener('abort', giveUp);
  }
}

const NO_DISPLAY_HINT = 'start it from a desktop session, or set DISPLAY; it is tried again by itself';

/** The socket in the file system, then the abstract one: containers see the first, some sandboxes the second. */
async function connectSocket(number: string, signal: AbortSignal): Promise<Socket> {
  const path = `/tmp/.X11-unix/X${number}`;
  try {
    return await tryConnect(path, signal);
  } catch (cause) {
    try {
      return await tryConnect(`\0${path}`, signal);
    } catch {
      throw new BackendFailure(
        'no-display',
        `There is no X server on display :${number}.`,
        NO_DISPLAY_HINT,
        cause,
      );
    }
  }
}

function tryConnect(path: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, signal });
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => socket.destroy());
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

async function readCookie(options: XDisplayOptions, displayNumber: string): Promise<Uint8Array | undefined> {
  const { env, hostname } = options;
  const home = env['HOME'] ?? '';
  const file = env['XAUTHORITY'] ?? (home === '' ? '' : join(home, '.Xauthority'));
  if (file === '') return undefined;
  try {
    return findCookie(await readFile(file), hostname, displayNumber);
  } catch {
    // No such file, or not ours to read: the server says whether it wants a cookie.
    return undefined;
  }
}

async function readReply(
  socket: Socket,
  number: string,
): Promise<{ rootWindow: number; screens: readonly Screen[] }> {
  const noAnswer = new BackendFailure(
    'no-display',
    `The X server on display :${number} does not answer.`,
    NO_DISPLAY_HINT,
  );
  const bytes = await new Promise<Buffer>((resolve, reject) => {
    let received = Buffer.alloc(0);
    const onClose = (): void => reject(noAnswer);
    socket.on('close', onClose);
    socket.on('data', function onData(chunk: Buffer) {
      received = Buffer.concat([received, chunk]);
      if (received.length < 8 || received.length < setupReplyBytes(received)) return;
      socket.off('data', onData);
      socket.off('close', onClose);
      resolve(received);
    });
  });
  const reply = readSetupReply(bytes);
  if (reply?.type === 'accepted') return reply;
  if (reply === undefined) throw noAnswer;
  throw new BackendFailure(
    'display-refused',
    `The X server on display :${number} refuses us: ${reply.text === '' ? 'no reason given' : reply.text}.`,
    'check that XAUTHORITY names this session’s cookie file',
  );
}
