import { Admission } from '../src/collector/admission.ts';
import { RequestLimiter, type RequestLimits } from '../src/collector/request-limiter.ts';
import { type CollectorReply, contentDigest } from '../src/upload/reply-policy.ts';
import type { VirtualTime } from './collector-virtual-time.ts';

/** What the modelled collector is. */
export interface ModelOptions {
  /** Segments of 100 KB that its disk makes durable, as measured. */
  readonly putsPerSecond: number;
  readonly maxBodies: number;
  readonly maxConnections: number;
  readonly requests: RequestLimits;
}

/** A round trip over a good line. */
export const ROUND_TRIP_MS = 30;

/**
 * A collector in virtual time: the real admission and rate limits before a disk that takes one segment after the other.
 */
export class ModelCollector {
  accepted = 0;
  /** Answered 429. */
  rejected = 0;
  /** Connections that were closed as they came. */
  closed = 0;
  readonly #time: VirtualTime;
  readonly #options: ModelOptions;
  readonly #admission: Admission;
  readonly #limiter: RequestLimiter;
  #connections = 0;
  #diskFreeMs = 0;

  constructor(time: VirtualTime, options: ModelOptions) {
    this.#time = time;
    this.#options = options;
    this.#admission = new Admission(options.maxBodies, () => time.ms);
    this.#limiter = new RequestLimiter(options.requests, () => time.ms);
  }

  /** TCP and TLS; `false`: there are too many. */
  async connect(): Promise<boolean> {
    if (this.#connections >= this.#options.maxConnections) {
      this.closed += 1;
      await this.#time.sleep(ROUND_TRIP_MS);
      return false;
    }
    this.#connections += 1;
    await this.#time.sleep(2 * ROUND_TRIP_MS);
    return true;
  }

  disconnect(): void {
    this.#connections -= 1;
  }

  /** One PUT whose body takes `bodyMs` on the line. */
  async put(device: string, bodyMs: number, sha256Base64: string): Promise<CollectorReply> {
    await this.#time.sleep(ROUND_TRIP_MS / 2);
    const retryAfter = this.#limiter.judge(device)?.retryAfterSeconds ?? this.#enter(device);
    if (retryAfter !== null) {
      this.rejected += 1;
      await this.#time.sleep(ROUND_TRIP_MS / 2);
      return replyOf(429, { retryAfter: String(retryAfter) });
    }
    await this.#time.sleep(bodyMs);
    this.#diskFreeMs = Math.max(this.#time.ms, this.#diskFreeMs) + 1000 / this.#options.putsPerSecond;
    await this.#time.sleep(this.#diskFreeMs - this.#time.ms);
    this.#admission.leave(device);
    this.accepted += 1;
    await this.#time.sleep(ROUND_TRIP_MS / 2);
    return replyOf(201, { contentDigest: contentDigest(sha256Base64) });
  }

  #enter(device: string): number | null {
    const entry = this.#admission.enter(device);
    return entry === 'in' ? null : entry;
  }
}

function replyOf(status: number, more: Partial<CollectorReply>): CollectorReply {
  return { status, contentDigest: undefined, retryAfter: undefined, date: undefined, ...more };
}
