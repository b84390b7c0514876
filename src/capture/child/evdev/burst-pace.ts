/** The kernel's ring of a device holds at least 64 events (`EVDEV_MIN_BUFFER_SIZE`); half of it is the most to let wait. */
const SAFE_EVENTS = 32;
/** A pause shorter than this saves nothing: the timer costs as much as the read. */
const MIN_PAUSE_MS = 2;

/** The longest pause there may be at all: 50 ms lost most packets of a 1000 Hz mouse (measured), 10 ms lost none. */
export const MAX_PAUSE_MS = 10;

/**
 * How long to let events wait after a read. Begins short and grows, and falls for good to what the fastest device
 * seen needs, so that a mouse of 8000 Hz overruns its ring not even once.
 */
export class BurstPace {
  limitMs = MAX_PAUSE_MS;
  #pauseMs = MIN_PAUSE_MS;
  #ceilingMs = MAX_PAUSE_MS;

  /** `events` of the busiest device came within `elapsedMs`; gives the pause until the next read, 0 for none. */
  next(events: number, elapsedMs: number): number {
    // Shorter stretches say more of chance than of a device.
    if (events > SAFE_EVENTS && elapsedMs >= 1) {
      this.#ceilingMs = Math.min(this.#ceilingMs, (elapsedMs * SAFE_EVENTS) / events);
    }
    this.#pauseMs = Math.min(1.5 * this.#pauseMs, this.#ceilingMs, this.limitMs);
    if (this.#pauseMs < MIN_PAUSE_MS) {
      this.#pauseMs = Math.min(MIN_PAUSE_MS, this.#ceilingMs);
      return 0;
    }
    return this.#pauseMs;
  }
}
