import type { Socket } from 'node:net';
import type { CaptureConfig, ChildCommand, ChildMessage } from '../../core/capture.ts';
import { decodeCommand, decodeConfig, encodeMessage, FrameDecoder } from '../wire.ts';

/** The child's end of the pipe to the daemon. */
export class ChildPipe {
  readonly #socket: Socket;
  #onRoom: () => void = () => undefined;
  #onCommand: (command: ChildCommand) => void = () => undefined;
  #isConfigured = false;
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
          for (const frame of decoder.push(chunk)) {
            if (this.#isConfigured) this.#onCommand(decodeCommand(frame));
            else resolve(decodeConfig(frame));
            this.#isConfigured = true;
          }
        } catch (error) {
          // Behind the first message nobody waits any more, and a daemon out of step is as good as none.
          if (this.#isConfigured) onBroken();
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

  /** Called with what the daemon says behind its first message. */
  set onCommand(onCommand: (command: ChildCommand) => void) {
    this.#onCommand = onCommand;
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
