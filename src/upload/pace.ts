/** Lateness of timers that may be caught up; more is a stall, after which the rate must not be exceeded. */
const SLACK_MS = 250;
/** Some eight chunks a second, so that the rate is even: bursts are what others on the line notice. */
const CHUNKS_PER_SECOND = 8;
/** A piece is a packet at least, and a small one is mostly headers: below 4 KB the charge would fall short of the truth. */
const CHUNK_BYTES = { least: 4096, most: 64 * 1024 };

/**
 * A token bucket without a store: every chunk waits for its own time on the line first, so that also a short file
 * keeps the rate. Times are milliseconds of any steady clock.
 */
export class Pace {
  readonly #bytesPerSecond: number;
  #freeAtMs: number | null = null;

  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** How much to send at a time. */
  get chunkBytes(): number {
    const even = Math.floor(this.#bytesPerSecond / CHUNKS_PER_SECOND);
    return Math.min(CHUNK_BYTES.most, Math.max(CHUNK_BYTES.least, even));
  }

  /** Books `bytes` and says how long to wait before sending them. */
  delayMs(bytes: number, nowMs: number): number {
    const freeAtMs = this.#freeAtMs === null ? nowMs : Math.max(this.#freeAtMs, nowMs - SLACK_MS);
    this.#freeAtMs = freeAtMs + (bytes / this.#bytesPerSecond) * 1000;
    return Math.max(0, this.#freeAtMs - nowMs);
  }
}
