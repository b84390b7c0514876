import type { Socket } from 'node:net';
import type { CaptureConfig, ChildMessage } from '../../core/capture.ts';
import { decodeConfig, encodeMessage, FrameDecoder } from '../wire.ts';

/** The child's end of the pipe to the daemon. */
export class ChildPipe {
  readonly #socket: Socket;
  #onRoom: () => void = () => undefined;
  #isFull = false;

  /** `socket` keeps its writing side when the other ends (`allowHalfOpen`): the last batch leaves after that. */
  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** The daemon has not yet taken what was sent. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /**
   * Reads the configuration; `null` when the daemon hangs up before it came. `onEnd` is called once when the daemon
   * closes its side (stop), `onBroken` when it is gone altogether.
   */
  open(onEnd: () => void, onBroken: () => void): Promise<CaptureConfig | null> {
    const decoder = new FrameDecoder();
    return new Promise((resolve, reject) => {
      this.#socket.on('data', (chunk: Buffer) => {
        try {
          const frame = decoder.push(chunk)[0];
          if (frame !== undefined) resolve(decodeConfig(frame));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
      this.#socket.on('end', () => {
        resolve(null);
        onEnd();
      });
      this.#socket.on('error', () => {
        resolve(null);
        onBroken();
      });
      this.#socket.on('drain', () => {
        this.#isFull = false;
        this.#onRoom();
      });
    });
  }

  /** Called whenever what was sent has been taken. */
  set onRoom(onRoom: () => void) {
    this.#onRoom = onRoom;
  }

  send(message: ChildMessage): void {
    this.#isFull = !this.#socket.write(encodeMessage(message));
  }

  /** Resolves when everything sent is in the daemon's hands, or can never be. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed) {
        resolve();
        return;
      }
      this.#socket.once('close', () => resolve());
      this.#socket.end(() => this.#socket.destroy());
    });
  }
}
