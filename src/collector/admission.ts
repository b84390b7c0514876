import { EventRate } from './event-rate.ts';
import { RetryLine } from './retry-line.ts';

/** `in`: call `leave` once with the same device. Otherwise seconds for `Retry-After`. */
export type Entry = 'in' | number;

/** A device that sends one file after the other is back within this time: it writes down the one and reads the next. */
const CONTINUES_MS = 5000;
/** Of all places, for devices that have not just been here: the rest lets those that have begun come to their end. */
const NEWCOMERS_SHARE = 0.75;

/**
 * How many bodies are being received, and no more than that at once. Devices in the middle of their round have some
 * places to themselves: to refuse one of them costs a whole new round, where a newcomer has lost nothing yet.
 */
export class Admission {
  readonly #limit: number;
  readonly #newcomersLimit: number;
  readonly #monoMs: () => number;
  /** When devices that were here left, the longest ago first. */
  readonly #left = new Map<string, number>();
  readonly #newcomers = new EventRate();
  readonly #line = new RetryLine();
  #active = 0;
  #waiting: (() => void)[] = [];

  constructor(limit: number, monoMs: () => number) {
    this.#limit = limit;
    this.#newcomersLimit = Math.max(1, Math.floor(limit * NEWCOMERS_SHARE));
    this.#monoMs = monoMs;
  }

  get active(): number {
    return this.#active;
  }

  /** How many that were refused are thought to come again. */
  get waiting(): number {
    return this.#line.length;
  }

  enter(device: string): Entry {
    const nowMs = this.#monoMs();
    this.#forgetLongGone(nowMs);
    const isNew = !this.#left.has(device);
    if (this.#active >= (isNew ? this.#newcomersLimit : this.#limit))
      return this.#line.join(device, nowMs, this.#newcomers.perSecond(nowMs));
    if (isNew) this.#newcomers.note(nowMs);
    this.#line.leave(device);
    this.#active += 1;
    return 'in';
  }

  leave(device: string): void {
    this.#left.delete(device);
    this.#left.set(device, this.#monoMs());
    this.#active -= 1;
    if (this.#active > 0) return;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Resolves once nobody is inside. */
  async empty(): Promise<void> {
    if (this.#active === 0) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #forgetLongGone(nowMs: number): void {
    for (const [device, leftMs] of this.#left) {
      if (nowMs - leftMs <= CONTINUES_MS) return;
      this.#left.delete(device);
    }
  }
}
