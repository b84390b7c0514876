import type { Delay } from '../../delay-node.ts';
import type { XConnection } from './x-connection.ts';
import { xRequest } from './x-request.ts';

const QUERY_POINTER = 38;

/** 20 ms costs more than none at all; 50 to 100 ms was the cheapest, and nothing is lost: stamps are the server's. */
const DEFAULT_BURST_MS = 100;

/**
 * Reads in bursts: after a read with events it rests, then reads all that came meanwhile in one go. A rest that ends
 * without events is not followed by another: from then on the first event wakes us at once, and until it does nothing
 * does.
 *
 * The server holds back what RECORD saw, 31 events at most, until it has something to send to any client. While events
 * come, each rest ends with a question to the server, whose answer makes it send them. For the first event after
 * silence see `X11Backend`.
 */
export class BurstReader {
  readonly #control: XConnection;
  readonly #data: XConnection;
  readonly #delay: Delay;
  #burstMs = DEFAULT_BURST_MS;
  #hadEvents = false;
  #isResting = false;
  #isStopped = false;
  #cancelRest: () => void = () => undefined;

  constructor(control: XConnection, data: XConnection, delay: Delay) {
    this.#control = control;
    this.#data = data;
    this.#delay = delay;
  }

  /** How long it rests, from the next rest on. */
  setBurstMs(burstMs: number): void {
    this.#burstMs = burstMs;
  }

  /** What is being read holds events. */
  onEvents(): void {
    this.#hadEvents = true;
  }

  /** A read of the data connection is over. */
  onRead(isDrained: boolean): void {
    if (!isDrained || !this.#hadEvents || this.#isStopped || this.#isResting) return;
    this.#data.pause();
    this.#control.pause();
    this.#rest();
  }

  /** Reads what there is now, and has the server send what it holds back. */
  drain(): void {
    this.#ask();
    if (this.#isResting) this.#read();
  }

  /** No rests any more: what comes is read at once. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelRest();
    this.#wake();
  }

  #rest(): void {
    this.#isResting = true;
    this.#hadEvents = false;
    this.#cancelRest = this.#delay(this.#burstMs, () => {
      this.#ask();
      this.#read();
      if (this.#hadEvents) this.#rest();
      else this.#wake();
    });
  }

  /** Orders first: a new keyboard mapping counts for the keys that follow it. */
  #read(): void {
    this.#control.readNow();
    this.#data.readNow();
  }

  #wake(): void {
    this.#isResting = false;
    this.#data.resume();
    this.#control.resume();
  }

  #ask(): void {
    void this.#control.ask(xRequest(QUERY_POINTER, 0, [this.#control.setup.rootWindow]));
  }
}
