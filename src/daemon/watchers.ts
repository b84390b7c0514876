import type { Clock, Timers } from '../core/clock.ts';
import type { StatusReport } from '../core/status.ts';

/** At most one report a second goes to those who watch. */
const INTERVAL_MS = 1000;

/** Those who follow the status: each gets a report at once and one after each change, at most one a second. */
export class Watchers {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #report: () => StatusReport;
  readonly #emits = new Set<(report: StatusReport) => void>();
  #isArmed = false;
  #lastBootMs = -Infinity;

  constructor(clock: Clock, timers: Timers, report: () => StatusReport) {
    this.#clock = clock;
    this.#timers = timers;
    this.#report = report;
  }

  /** Follows until the signal; resolves then. */
  async follow(emit: (report: StatusReport) => void, signal: AbortSignal): Promise<void> {
    emit(this.#report());
    this.#emits.add(emit);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
    await promise;
    this.#emits.delete(emit);
  }

  /** Something that status shows has changed. Costs nothing while nobody watches. */
  changed(): void {
    if (this.#emits.size === 0 || this.#isArmed) return;
    this.#isArmed = true;
    const atBootMs = Math.max(this.#clock.now().bootMs, this.#lastBootMs + INTERVAL_MS);
    this.#timers.set('watch', atBootMs, () => this.#tell());
  }

  #tell(): void {
    this.#isArmed = false;
    this.#lastBootMs = this.#clock.now().bootMs;
    if (this.#emits.size === 0) return;
    const report = this.#report();
    for (const emit of this.#emits) emit(report);
  }
}
