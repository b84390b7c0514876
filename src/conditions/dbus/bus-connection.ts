import { connect, type Socket } from 'node:net';
import type { BusSocket } from './bus-address.ts';
import {
  decodeMessage,
  encodeCall,
  HEAD_BYTES,
  type Message,
  type MethodCall,
  messageBytes,
} from './message.ts';
import { type BusValue, textIn } from './values.ts';

/** Calls `fire` once after `delayMs` of real time; the returned function takes it back. */
export type Delay = (delayMs: number, fire: () => void) => () => void;

/** A bus that answers within milliseconds is healthy; one that takes this long is hung, and so is a service. */
const ANSWER_MS = 5000;
/** What we ask for takes a few kilobytes. A longer message is thrown away unread. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** The longest that the specification allows; what claims more is not the protocol. */
const MAX_SPECIFIED_BYTES = 128 * 1024 * 1024;

/** The bus, or who was asked, answered with an error. `name` is the D-Bus error name, or one of ours in lower case. */
export class BusError extends Error {
  override readonly name: string;

  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** Who uses a connection. */
export interface ConnectionUser {
  /** A signal came in. */
  signal(message: Message): void;
  /** The connection is gone, by whichever side; called once. */
  gone(): void;
}

interface Call extends PromiseWithResolvers<readonly BusValue[]> {
  /** Takes its time limit back. */
  readonly cancel: () => void;
}

/**
 * One connection to a message bus: calls and signals. It sends nothing by itself and has no timer but the one of each
 * call on its way. It takes no file descriptors.
 */
export class BusConnection {
  readonly #socket: Socket;
  readonly #delay: Delay;
  readonly #calls = new Map<number, Call>();
  #user: ConnectionUser | null = null;
  #received: Uint8Array = new Uint8Array(0);
  #skipBytes = 0;
  #serial = 0;
  #isGone = false;

  /** Use {@link connectBus}: the socket is authenticated already. */
  constructor(socket: Socket, delay: Delay) {
    this.#socket = socket;
    this.#delay = delay;
  }

  /** Says hello and begins to listen. Rejects when the bus does not answer. */
  async begin(user: ConnectionUser): Promise<void> {
    this.#user = user;
    this.#socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#socket.on('close', () => this.close());
    await this.call(busCall('Hello'));
  }

  /** Calls a method; resolves with what it returns, rejects with a {@link BusError}. */
  call(call: MethodCall): Promise<readonly BusValue[]> {
    if (this.#isGone) return Promise.reject(new BusError('disconnected', 'the bus is gone'));
    const serial = ++this.#serial;
    const waiting = Promise.withResolvers<readonly BusValue[]>();
    const cancel = this.#delay(ANSWER_MS, () => {
      this.#calls.delete(serial);
      waiting.reject(new BusError('timeout', `${call.destination} did not answer ${call.member}`));
    });
    this.#calls.set(serial, { ...waiting, cancel });
    this.#socket.write(encodeCall(call, serial));
    return waiting.promise;
  }

  close(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#socket.destroy();
    for (const { reject, cancel } of this.#calls.values()) {
      cancel();
      reject(new BusError('disconnected', 'the bus is gone'));
    }
    this.#calls.clear();
    this.#user?.gone();
  }

  #onData(chunk: Uint8Array): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    for (let message = this.#next(); message !== null; message = this.#next()) this.#handle(message);
  }

  /** The next whole message of what was received; `null` until there is one. */
  #next(): Message | null {
    try {
      this.#skip();
      if (this.#isGone || this.#received.length < HEAD_BYTES) return null;
      const bytes = messageBytes(this.#received);
      if (bytes > MAX_SPECIFIED_BYTES) throw new RangeError('a message is too long');
      if (bytes > MAX_MESSAGE_BYTES) {
        this.#skipBytes = bytes;
        return this.#next();
      }
      if (this.#received.length < bytes) return null;
      const message = decodeMessage(this.#received.subarray(0, bytes));
      this.#received = this.#received.subarray(bytes);
      return message;
    } catch {
      // Not the protocol: nothing that follows can be trusted.
      this.close();
      return null;
    }
  }

  #skip(): void {
    const skipped = Math.min(this.#skipBytes, this.#received.length);
    this.#skipBytes -= skipped;
    this.#received = this.#received.subarray(skipped);
  }

  #handle(message: Message): void {
    if (message.type === 'signal') {
      this.#user?.signal(message);
      return;
    }
    // A call to us goes unanswered: we offer nothing, and its sender's own timeout says so.
    if (message.type !== 'reply' && message.type !== 'error') return;
    const call = this.#calls.get(message.replySerial);
    if (call === undefined) return;
    this.#calls.delete(message.replySerial);
    call.cancel();
    if (message.type === 'reply') call.resolve(message.body);
    else call.reject(new BusError(message.errorName, textIn(message.body[0])));
  }
}

/** A method of the bus itself. */
export function busCall(member: string, ...args: (string | number)[]): MethodCall {
  return {
    destination: 'org.freedesktop.DBus',
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus',
    member,
    args,
  };
}

/**
 * Connects to the first of these sockets that takes us. Rejects with a {@link BusError}: `no-socket` when there is none
 * of them, else `refused`.
 */
export async function connectBus(sockets: readonly BusSocket[], delay: Delay): Promise<BusConnection> {
  let problem = new BusError('no-socket', 'there is no bus');
  for (const socket of sockets) {
    try {
      return new BusConnection(await authenticate(socket, delay), delay);
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!isMissing) problem = new BusError('refused', String(error));
    }
  }
  throw problem;
}

/**
 * D-Bus specification, "Authentication Protocol", mechanism EXTERNAL: the kernel tells the bus who we are. We name no
 * uid (the empty DATA), since within a user namespace ours may be another than the bus sees.
 */
async function authenticate(target: BusSocket, delay: Delay): Promise<Socket> {
  const path = 'path' in target ? target.path : `\0${target.abstract}`;
  const socket = connect({ path });
  const cancel = delay(ANSWER_MS, () => socket.destroy(new BusError('timeout', 'the bus did not answer')));
  try {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    socket.once('error', reject).once('close', () => reject(new BusError('refused', 'the bus hung up')));
    let line = '';
    const onData = (chunk: Buffer): void => {
      line += chunk.toString('latin1');
      if (!line.endsWith('\r\n')) return;
      if (line.startsWith('DATA')) socket.write('DATA\r\n');
      else if (line.startsWith('OK ')) resolve(undefined);
      else reject(new BusError('refused', line.trim()));
      line = '';
    };
    socket.on('data', onData).write('\0AUTH EXTERNAL\r\n');
    await promise;
    socket.off('data', onData);
    // A later error is followed by `close`, which is what counts.
    socket.on('error', () => undefined);
    socket.write('BEGIN\r\n');
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    cancel();
  }
}
