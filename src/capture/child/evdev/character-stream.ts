import { Socket, type SocketConstructorOpts } from 'node:net';

/** What a stream of bytes from a file descriptor tells. */
export interface StreamListener {
  /** Bytes that were read, valid until this returns. */
  onBytes(bytes: Uint8Array): void;
  /** It ended, or failed: an unplugged device does (`ENODEV`). Called once, not after {@link CharacterStream.close}. */
  onGone(): void;
}

/** libuv's pipe handle as `node:net` uses it; it reads anything that can be polled. */
interface PipeHandle {
  open(fd: number): number;
  close(): void;
}

/**
 * Reads a character device (or FIFO) without blocking and without a thread, which nothing public in Node does: `fs`
 * takes a thread of the pool for each read, and `new Socket({ fd })` refuses character devices. A pipe handle opened on
 * the descriptor does it: one wakeup a read, closed in 1 ms (tried on `/dev/kmsg`). The handle's class is taken from a
 * socket that was about to connect; `process.binding('pipe_wrap')` would give the same one, with a deprecation.
 */
export class CharacterStream {
  readonly #socket: Socket;
  #isPaused = false;

  /** Takes over `fd`, which must be non-blocking; throws when it cannot be polled. */
  constructor(fd: number, listener: StreamListener) {
    const handle = newPipeHandle();
    const status = handle.open(fd);
    if (status !== 0) throw new Error(`the device cannot be read (${status})`);
    const options = {
      handle,
      readable: true,
      writable: false,
      onread: {
        buffer: new Uint8Array(READ_BYTES),
        callback: (count: number, buffer: Uint8Array): boolean => {
          listener.onBytes(buffer.subarray(0, count));
          return !this.#isPaused;
        },
      },
    };
    // The types know no handle of this kind.
    this.#socket = new Socket(options as unknown as SocketConstructorOpts);
    const onGone = (): void => {
      if (!this.#socket.destroyed) this.#socket.destroy();
      this.#socket.removeAllListeners('end').removeAllListeners('close');
      listener.onGone();
    };
    this.#socket.on('error', () => undefined);
    this.#socket.once('end', onGone).once('close', onGone);
    this.#socket.resume();
  }

  /** What comes meanwhile waits in the kernel. */
  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  close(): void {
    this.#socket.removeAllListeners('end').removeAllListeners('close');
    this.#socket.destroy();
  }
}

/** The kernel's ring of a device holds at least 64 events of 24 bytes; this takes four such rings in one read. */
const READ_BYTES = 4 * 64 * 24;

function newPipeHandle(): PipeHandle {
  const socket = new Socket();
  socket.on('error', () => undefined);
  // The handle exists from here on; that nobody listens there does not matter.
  socket.connect({ path: '/dev/null' });
  const { constructor } = (
    socket as unknown as { _handle: { constructor: new (type: number) => PipeHandle } }
  )._handle;
  socket.destroy();
  /** `PipeConstants.SOCKET` */
  return new constructor(0);
}
