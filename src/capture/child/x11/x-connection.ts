import { readSync } from 'node:fs';
import type { Socket } from 'node:net';
import { PACKET, PacketReader, type TakePacket } from './x-packets.ts';
import { pair, xRequest } from './x-request.ts';
import type { XSetup } from './x-setup.ts';

/** Sequence numbers are 16 bits on the wire: after so many requests without an answer one is asked for. */
const SYNC_EVERY = 0x4000;
/** The one event without a sequence number (`KeymapNotify`). */
const UNNUMBERED_EVENT = 11;

/** An extension of the server, by its numbers. */
export interface XExtension {
  readonly majorOpcode: number;
  readonly firstEvent: number;
  readonly firstError: number;
}

/** Where a connection's bytes come from. */
export interface XWire {
  readonly socket: Socket;
  /** What the socket reads into. */
  readonly buffer: Buffer;
  /** Called after each read, when its packets have been handled; who reads in bursts pauses here. */
  readonly onRead: (isDrained: boolean) => void;
}

interface Pending {
  readonly sequence: number;
  /** Given every reply; a request with one reply is forgotten after it. */
  readonly take: TakePacket;
  readonly isStream: boolean;
  /** No (further) reply will come. */
  readonly end: () => void;
}

/**
 * A connection to an X server: requests out, replies, errors and events in. What the server refuses is `null`, like an
 * answer that never comes because the server went: nothing here tells more from the one than from the other.
 *
 * Use {@link openDisplay} to make one.
 */
export class XConnection {
  readonly setup: XSetup;
  readonly #wire: XWire;
  readonly #socket: Socket;
  readonly #reader = new PacketReader();
  readonly #listeners = new Set<TakePacket>();
  readonly #atoms = new Map<string, Promise<number>>();
  readonly #extensions = new Map<string, Promise<XExtension | null>>();
  #pending: Pending[] = [];
  /** Numbers of the last request sent, the last one asked for an answer, and the last one the server spoke of. */
  #sent = 0;
  #asked = 0;
  #seen = 0;
  #lastId = 0;
  #isClosed = false;
  #onGone: () => void = () => undefined;

  constructor(wire: XWire, setup: XSetup) {
    const { socket } = wire;
    this.#wire = wire;
    this.#socket = socket;
    this.setup = setup;
    socket.on('close', () => this.#gone());
    socket.on('end', () => this.#gone());
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Called once when the server goes; not after {@link close}. */
  set onGone(onGone: () => void) {
    this.#onGone = onGone;
    if (this.#isClosed) onGone();
  }

  /** Sends a request that has no reply; an error to it is not heard. */
  send(request: Uint8Array): void {
    this.#write(request);
    if (this.#sent - this.#asked >= SYNC_EVERY) void this.ask(xRequest(43, 0));
  }

  /** Sends a request and gives a copy of its reply; `null` when the server refuses it or goes. */
  ask(request: Uint8Array): Promise<Buffer | null> {
    if (this.#isClosed) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#expect(
        request,
        (bytes, offset, length) => resolve(Buffer.from(bytes.subarray(offset, offset + length))),
        () => resolve(null),
        false,
      );
    });
  }

  /** Sends a request with any number of replies; `end` is called when the server refuses it or goes. */
  stream(request: Uint8Array, take: TakePacket, end: () => void): void {
    if (this.#isClosed) end();
    else this.#expect(request, take, end, true);
  }

  /** Every event from now on goes to `take` too; the returned function ends that. */
  listen(take: TakePacket): () => void {
    this.#listeners.add(take);
    return () => this.#listeners.delete(take);
  }

  /** An id for a window, a context or the like. */
  newId(): number {
    const { idBase, idMask } = this.setup;
    this.#lastId += idMask & -idMask;
    return idBase + this.#lastId;
  }

  /** The number of an atom, which is made if need be; 0 when the server went. Asked once per name. */
  atom(name: string): Promise<number> {
    let atom = this.#atoms.get(name);
    if (atom === undefined) {
      const bytes = Buffer.from(name, 'latin1');
      atom = this.ask(xRequest(16, 0, [pair(bytes.length, 0)], bytes)).then(
        (reply) => reply?.readUInt32LE(8) ?? 0,
      );
      this.#atoms.set(name, atom);
    }
    return atom;
  }

  /** An extension's numbers; `null` when the server has none of that name. Asked once per name. */
  extension(name: string): Promise<XExtension | null> {
    let extension = this.#extensions.get(name);
    if (extension === undefined) {
      const bytes = Buffer.from(name, 'latin1');
      extension = this.ask(xRequest(98, 0, [pair(bytes.length, 0)], bytes)).then((reply) =>
        reply === null || reply[8] !== 1
          ? null
          : {
              majorOpcode: reply.readUInt8(9),
              firstEvent: reply.readUInt8(10),
              firstError: reply.readUInt8(11),
            },
      );
      this.#extensions.set(name, extension);
    }
    return extension;
  }

  /** Leaves what the server sends in the kernel's buffer, and in the server's, until {@link resume}. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /**
   * Reads what is there at once, past the event loop; for a connection that is paused. Leaving and entering the loop's
   * watch for each burst would cost a wakeup more: libuv forgets a descriptor only when it becomes readable.
   */
  readNow(): void {
    const fd = descriptorOf(this.#socket);
    const { buffer } = this.#wire;
    let isDrained = fd === null;
    while (fd !== null && !isDrained && !this.#isClosed) {
      const sizeBytes = tryRead(fd, buffer);
      if (sizeBytes === 0) return;
      isDrained = sizeBytes < buffer.length;
      this.push(buffer.subarray(0, sizeBytes));
    }
  }

  /** Takes what was read from the socket. */
  push(chunk: Buffer): void {
    if (!this.#reader.push(chunk, this.#take)) this.#socket.destroy();
    this.#wire.onRead(chunk.length < this.#wire.buffer.length);
  }

  /** Ends the connection; what was asked and not answered is `null`. */
  close(): void {
    this.#onGone = () => undefined;
    this.#socket.destroy();
    this.#gone();
  }

  #write(request: Uint8Array): void {
    this.#sent += 1;
    this.#socket.write(request);
  }

  #expect(request: Uint8Array, take: TakePacket, end: () => void, isStream: boolean): void {
    this.#write(request);
    this.#asked = this.#sent;
    this.#pending.push({ sequence: this.#sent, take, end, isStream });
  }

  readonly #take: TakePacket = (bytes, offset, length) => {
    const kind = bytes[offset];
    if (kind !== UNNUMBERED_EVENT) {
      const sequence = bytes.readUInt16LE(offset + 2);
      // The server never goes back: the number is the next one with these lower 16 bits.
      this.#seen += (sequence - this.#seen) & 0xffff;
    }
    if (kind === PACKET.reply) this.#takeReply(bytes, offset, length);
    else if (kind === PACKET.error) this.#takeError();
    else for (const listener of this.#listeners) listener(bytes, offset, length);
  };

  #takeReply(bytes: Buffer, offset: number, length: number): void {
    const pending = this.#pending[0];
    if (pending?.sequence !== this.#seen) return;
    if (!pending.isStream) this.#pending.shift();
    pending.take(bytes, offset, length);
  }

  #takeError(): void {
    const pending = this.#pending[0];
    if (pending?.sequence !== this.#seen) return;
    this.#pending.shift();
    pending.end();
  }

  #gone(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const left = this.#pending;
    this.#pending = [];
    for (const { end } of left) end();
    this.#onGone();
  }
}

/** 0 also when the other end is gone: the socket hears of that itself once it is watched again. */
function tryRead(fd: number, buffer: Buffer): number {
  try {
    return readSync(fd, buffer, 0, buffer.length, null);
  } catch {
    return 0;
  }
}

/** Node does not say a socket's descriptor but by its handle. */
function descriptorOf(socket: Socket): number | null {
  if (!('_handle' in socket) || socket.destroyed) return null;
  const handle = socket._handle;
  if (typeof handle !== 'object' || handle === null || !('fd' in handle)) return null;
  return typeof handle.fd === 'number' && handle.fd >= 0 ? handle.fd : null;
}
