import type { ApiError } from './api-error.ts';
import { RetryLine } from './retry-line.ts';
import { type RateLimit, TokenBuckets } from './token-buckets.ts';

/** How many requests are taken. */
export interface RequestLimits {
  readonly perDevice: RateLimit;
  readonly inAll: RateLimit;
}

/**
 * A round is at most 100 files and takes seconds, so a device that comes 100 times a second over ten seconds is one that
 * loops. One process was measured to keep some hundreds of segments a second on a machine of its own; what comes beyond
 * a thousand would only wait for the disk until its client gives up.
 */
export const REQUEST_LIMITS = { perDevice: 100, inAll: 1000 } as const;

/** So many seconds' worth may come at once, after a silence. */
const BURST_SECONDS = { perDevice: 10, inAll: 1 } as const;
/** A device over its limit is not behaving: a minute's silence costs it nothing. */
const DEVICE_RETRY_SECONDS = 60;

/** The limits for rates in requests a second. */
export function requestLimits(perDevice: number, inAll: number): RequestLimits {
  return {
    perDevice: { perSecond: perDevice, burst: perDevice * BURST_SECONDS.perDevice },
    inAll: { perSecond: inAll, burst: inAll * BURST_SECONDS.inAll },
  };
}

/** Holds each device, and all together, to their rates. Judged before a body is asked for. */
export class RequestLimiter {
  readonly #devices: TokenBuckets;
  readonly #all: TokenBuckets;
  readonly #allPerSecond: number;
  readonly #line = new RetryLine();
  readonly #monoMs: () => number;

  constructor(limits: RequestLimits, monoMs: () => number) {
    this.#devices = new TokenBuckets(limits.perDevice);
    this.#all = new TokenBuckets(limits.inAll);
    this.#allPerSecond = limits.inAll.perSecond;
    this.#monoMs = monoMs;
  }

  /** `null`: it may come in. `device`: whose request it is, once that is proven; `null` for one that names none. */
  judge(device: string | null): ApiError | null {
    const nowMs = this.#monoMs();
    // Its own limit first: what a device sends too much must not use up what all the others have.
    if (device !== null && this.#devices.take(device, nowMs) === 'empty')
      return busy('this device sends too often', DEVICE_RETRY_SECONDS);
    const name = device ?? '';
    if (this.#all.take('', nowMs) === 'empty')
      return busy('too many requests come at once', this.#line.join(name, nowMs, this.#allPerSecond));
    this.#line.leave(name);
    return null;
  }
}

function busy(message: string, retryAfterSeconds: number): ApiError {
  return { status: 429, code: 'busy', message, hint: 'send it again after Retry-After', retryAfterSeconds };
}
