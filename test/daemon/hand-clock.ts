import type { Clock, Instant, Timers } from '../../src/core/clock.ts';

/** A clock that moves only as it is told. */
export class HandClock implements Clock {
  bootId = 'this-boot';
  #wallMs = Date.UTC(2026, 6, 1, 8);
  #bootMs = 6_000_000;
  #monoMs = 5_000_000;

  now(): Instant {
    return { wallMs: this.#wallMs, bootMs: this.#bootMs, monoMs: this.#monoMs };
  }

  /** Time passes with the machine awake. */
  advance(ms: number): void {
    this.sleep(ms);
    this.#monoMs += ms;
  }

  /** The machine sleeps: events cannot happen, deadlines come nearer. */
  sleep(ms: number): void {
    this.#bootMs += ms;
    this.#wallMs += ms;
  }

  /** Someone sets the wall clock. */
  setWall(byMs: number): void {
    this.#wallMs += byMs;
  }
}

interface Armed {
  readonly atBootMs: number;
  readonly fire: () => void;
}

/** Timers over a {@link HandClock}: they fire while {@link run} moves it, each at its own time, and at no other. */
export class HandTimers implements Timers {
  readonly clock: HandClock;
  readonly #armed = new Map<string, Armed>();

  constructor(clock: HandClock) {
    this.clock = clock;
  }

  set(name: string, atBootMs: number, fire: () => void): void {
    this.#armed.set(name, { atBootMs, fire });
  }

  clear(name: string): void {
    this.#armed.delete(name);
  }

  recheck(): void {
    this.#fireUntil(this.clock.now().bootMs);
  }

  list(): readonly { name: string; atBootMs: number }[] {
    return [...this.#armed].map(([name, { atBootMs }]) => ({ name, atBootMs }));
  }

  stop(): void {
    this.#armed.clear();
  }

  /** Names of what is armed, sorted. */
  names(): string[] {
    return [...this.#armed.keys()].sort();
  }

  /** Lets time pass. */
  run(ms: number): void {
    const end = this.clock.now().bootMs + ms;
    this.#fireUntil(end);
    this.clock.advance(Math.max(0, end - this.clock.now().bootMs));
  }

  #fireUntil(endBootMs: number): void {
    // A timer that is always set again for the present would never let go.
    for (let atOnce = 0; atOnce < 1000; atOnce++) {
      const [next] = [...this.#armed].sort(([, a], [, b]) => a.atBootMs - b.atBootMs);
      if (next === undefined || next[1].atBootMs > endBootMs) return;
      const [name, { atBootMs, fire }] = next;
      const waitMs = atBootMs - this.clock.now().bootMs;
      if (waitMs > 0) {
        this.clock.advance(waitMs);
        atOnce = 0;
      }
      this.#armed.delete(name);
      fire();
    }
    throw new Error('a timer is set again and again for the same moment');
  }
}
