import type { Clock, Timers } from '../core/clock.ts';

interface Armed {
  readonly atBootMs: number;
  readonly fire: () => void;
  handle: NodeJS.Timeout;
}

/** `setTimeout` takes at most 2^31-1 ms; longer waits are re-armed when that has passed. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Named timers on a clock's boot time. `setTimeout` runs on the monotonic clock, which stands still in sleep, so a
 * timer that fires early is armed again and `recheck` fires those that sleep has made late.
 *
 * `rate` is how fast the clock runs against real time: 1, or a recording's speed. With `Infinity` nothing is armed:
 * the clock moves only when somebody moves it, and they call `recheck`.
 */
export class NodeTimers implements Timers {
  readonly #clock: Clock;
  readonly #rate: number;
  readonly #armed = new Map<string, Armed>();

  constructor(clock: Clock, rate = 1) {
    this.#clock = clock;
    this.#rate = rate;
  }

  set(name: string, atBootMs: number, fire: () => void): void {
    this.clear(name);
    this.#armed.set(name, { atBootMs, fire, handle: this.#arm(name, atBootMs) });
  }

  clear(name: string): void {
    clearTimeout(this.#armed.get(name)?.handle);
    this.#armed.delete(name);
  }

  recheck(): void {
    const nowMs = this.#clock.now().bootMs;
    const due = [...this.#armed].filter(([, timer]) => timer.atBootMs <= nowMs);
    for (const [name, timer] of due.sort(([, a], [, b]) => a.atBootMs - b.atBootMs)) {
      // A timer that fired before may have cleared or replaced this one.
      if (this.#armed.get(name) !== timer) continue;
      this.clear(name);
      timer.fire();
    }
  }

  list(): readonly { name: string; atBootMs: number }[] {
    return [...this.#armed].map(([name, { atBootMs }]) => ({ name, atBootMs }));
  }

  stop(): void {
    for (const name of [...this.#armed.keys()]) this.clear(name);
  }

  #arm(name: string, atBootMs: number): NodeJS.Timeout {
    const waitMs =
      this.#rate === Infinity
        ? LONGEST_TIMEOUT_MS
        : Math.max(0, atBootMs - this.#clock.now().bootMs) / this.#rate;
    const handle = setTimeout(() => this.#fire(name), Math.min(Math.ceil(waitMs), LONGEST_TIMEOUT_MS));
    if (this.#rate === Infinity) handle.unref();
    return handle;
  }

  #fire(name: string): void {
    const timer = this.#armed.get(name);
    if (timer === undefined) return;
    if (timer.atBootMs > this.#clock.now().bootMs) {
      timer.handle = this.#arm(name, timer.atBootMs);
      return;
    }
    this.#armed.delete(name);
    timer.fire();
  }
}
