/** X stamps are 32 bits of milliseconds: they wrap after 49.7 days. */
const X_WRAP_MS = 2 ** 32;
/**
 * What a stamp may differ from our clock when the event is read. RECORD hands over late (seconds, on a silent server)
 * and never early; a server on another clock is off by much more.
 */
const TOLERANCE_MS = 60_000;
/** macOS stamps are nanoseconds, or ticks of the 24 MHz counter on Apple silicon; not tried on a Mac. */
const MACOS_UNITS_MS = [1e-6, 1 / 24_000];

/**
 * Turns the hook's stamps into milliseconds on the monotonic clock, keeping their spacing: that is the server's and not
 * the arrival's.
 *
 * Measured (libuiohook 1.5.5 under Xvfb 21.1): `time` is the event's own `CLOCK_MONOTONIC` stamp in whole
 * milliseconds, 0.5 to 3.5 ms before arrival when the server flushes at once and up to 360 ms before it when RECORD
 * holds back. So on X the stamp is the answer once its upper bits are found. Where the stamp is of another clock, the
 * first event's arrival sets the offset, and a jump of more than a minute (sleep) sets it anew.
 */
export class HookClock {
  readonly #isX: boolean;
  #unitMs: number | null = null;
  #offsetMs = 0;

  constructor(platform: string) {
    this.#isX = platform !== 'darwin';
  }

  /** `stamp` as the hook gives it, `nowMs` our monotonic clock on arrival. Whole milliseconds. */
  toMonoMs(stamp: number, nowMs: number): number {
    const ownMs = this.#isX ? unwrap(stamp, nowMs - this.#offsetMs) : this.#scale(stamp, nowMs);
    if (Math.abs(nowMs - ownMs - this.#offsetMs) > TOLERANCE_MS) this.#offsetMs = nowMs - ownMs;
    return Math.floor(ownMs + this.#offsetMs);
  }

  #scale(stamp: number, nowMs: number): number {
    this.#unitMs ??=
      MACOS_UNITS_MS.toSorted((a, b) => off(stamp * a, nowMs) - off(stamp * b, nowMs))[0] ?? 1e-6;
    return stamp * this.#unitMs;
  }
}

function off(ms: number, nowMs: number): number {
  return Math.abs(ms - nowMs);
}

function unwrap(stamp: number, nowMs: number): number {
  return stamp + Math.round((nowMs - stamp) / X_WRAP_MS) * X_WRAP_MS;
}
