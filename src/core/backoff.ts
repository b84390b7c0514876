import type { Random } from './clock.ts';

export interface BackoffLimits {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * Full jitter: a random wait in [0, min(cap, base * 2^(attempt-1))), never under `floorMs`.
 * Source: "Exponential Backoff and Jitter", AWS Architecture Blog, 2015; it spreads a fleet best.
 * `attempt` counts failures in a row from 1.
 */
export function fullJitterMs(attempt: number, limits: BackoffLimits, random: Random, floorMs = 0): number {
  const ceiling = Math.min(limits.capMs, limits.baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.max(floorMs, Math.floor(random() * ceiling));
}

/** Plain doubling without jitter, for restarts on one machine where nothing is shared: base, 2 base, … cap. */
export function doublingMs(attempt: number, limits: BackoffLimits): number {
  return Math.min(limits.capMs, limits.baseMs * 2 ** Math.min(attempt - 1, 30));
}
