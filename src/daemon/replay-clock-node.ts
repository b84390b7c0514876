import type { Clock, Instant } from '../core/clock.ts';

/**
 * The time of a recording: boot and monotonic time are the recording's own, wall time counts from when the replay
 * began. With a finite speed it runs by itself; with `max` it moves only through {@link advanceTo}.
 */
export class ReplayClock implements Clock {
  readonly bootId = 'replay';
  readonly #speed: number | 'max';
  readonly #startedWallMs = Date.now();
  readonly #startedMonoMs = performance.now();
  #recordedMs = 0;

  constructor(speed: number | 'max') {
    this.#speed = speed;
  }

  now(): Instant {
    const ranMs = this.#speed === 'max' ? 0 : (performance.now() - this.#startedMonoMs) * this.#speed;
    const atMs = Math.max(ranMs, this.#recordedMs);
    return { wallMs: this.#startedWallMs + atMs, bootMs: atMs, monoMs: atMs };
  }

  /** The recording has reached `recordedMs`; time never goes back. */
  advanceTo(recordedMs: number): void {
    this.#recordedMs = Math.max(this.#recordedMs, recordedMs);
  }
}
