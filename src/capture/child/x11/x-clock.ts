/** X stamps are 32 bits of milliseconds: they wrap after 49.7 days. */
const WRAP_MS = 2 ** 32;
/** Two readings of one clock a round trip apart, on a machine under load; other clocks are off by far more. */
const SAME_CLOCK_MS = 2000;
/**
 * What a stamp may differ from our clock when the event is read. RECORD hands over late (seconds, on a silent server)
 * and never early; a clock that was set, or another one, is off by much more.
 */
const TOLERANCE_MS = 60_000;

/**
 * Turns an X server's stamps into milliseconds on the monotonic clock, keeping their spacing: that is the server's and
 * not the arrival's.
 *
 * X servers on Linux stamp with `CLOCK_MONOTONIC` in whole milliseconds (`GetTimeInMillis`), which is our own clock: the
 * stamp is the answer once its upper bits are found. Where it is another clock (built without, or another system), the
 * calibration's offset is added, or failing that the first event's arrival sets it.
 */
export class XClock {
  #offsetMs = 0;

  /** The server's clock showed `stamp` at a moment just before `nowMs` on ours. */
  calibrate(stamp: number, nowMs: number): void {
    const ownMs = unwrap(stamp, nowMs);
    this.#offsetMs = Math.abs(nowMs - ownMs) <= SAME_CLOCK_MS ? 0 : nowMs - ownMs;
  }

  /** Whole milliseconds; `nowMs` is our monotonic clock on arrival. */
  toMonoMs(stamp: number, nowMs: number): number {
    const ownMs = unwrap(stamp, nowMs - this.#offsetMs);
    if (Math.abs(nowMs - ownMs - this.#offsetMs) > TOLERANCE_MS) this.#offsetMs = nowMs - ownMs;
    return Math.floor(ownMs + this.#offsetMs);
  }
}

function unwrap(stamp: number, nowMs: number): number {
  return stamp + Math.round((nowMs - stamp) / WRAP_MS) * WRAP_MS;
}
