/** How much comes at most. */
export interface RateLimit {
  readonly perSecond: number;
  /** So many at once, after a silence. */
  readonly burst: number;
}

/** Some 100 bytes each, so that strangers' ids cannot fill memory: at most 6 MB. */
const MAX_BUCKETS = 65_536;

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

/** A token bucket for each name. One that was not used for longest makes room; it is full by then. */
export class TokenBuckets {
  readonly #limit: RateLimit;
  readonly #maxBuckets: number;
  /** The one used last at the end. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: RateLimit, maxBuckets: number = MAX_BUCKETS) {
    this.#limit = limit;
    this.#maxBuckets = maxBuckets;
  }

  /** Takes a token. */
  take(name: string, nowMs: number): 'taken' | 'empty' {
    const { perSecond, burst } = this.#limit;
    const { tokens, atMs } = this.#buckets.get(name) ?? { tokens: burst, atMs: nowMs };
    const filled = Math.min(burst, tokens + ((nowMs - atMs) / 1000) * perSecond);
    const isTaken = filled >= 1;
    this.#buckets.delete(name);
    this.#buckets.set(name, { tokens: isTaken ? filled - 1 : filled, atMs: nowMs });
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > this.#maxBuckets && oldest !== undefined) this.#buckets.delete(oldest);
    return isTaken ? 'taken' : 'empty';
  }
}
