import { XClock } from './x11/x-clock.ts';

/** A jump of the hook's clock against ours beyond this is a sleep: the offset is set anew. */
const TOLERANCE_MS = 60_000;
/** macOS stamps are nanoseconds, or ticks of the 24 MHz counter on Apple silicon; not tried on a Mac. */
const MACOS_UNITS_MS = [1e-6, 1 / 24_000];

/**
 * Turns the hook's stamps into milliseconds on the monotonic clock, keeping their spacing.
 *
 * Measured on X (libuiohook 1.5.5 under Xvfb 21.1): `time` is the event's own stamp, 0.5 to 3.5 ms before arrival when
 * the server flushes at once and up to 360 ms before it when RECORD holds back. Elsewhere the first event's arrival sets
 * the offset.
 */
export class HookClock {
  readonly #xClock: XClock | null;
  #unitMs: number | null = null;
  #offsetMs = 0;

  constructor(platform: string) {
    this.#xClock = platform === 'darwin' ? null : new XClock();
  }

  /** `stamp` as the hook gives it, `nowMs` our monotonic clock on arrival. Whole milliseconds. */
  toMonoMs(stamp: number, nowMs: number): number {
    if (this.#xClock !== null) return this.#xClock.toMonoMs(stamp, nowMs);
    const ownMs = this.#scale(stamp, nowMs);
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
