import { bucketOf } from './mix-numbers.ts';

/** What a context is for; part of its hash, so that no two kinds of values share a memory. */
export const CONTEXT = {
  kind: 1,
  step: 2,
  longStep: 3,
  error: 4,
  isMoved: 5,
  keyTime: 6,
  detailA: 7,
  detailB: 8,
  residual: 9,
} as const;

/** A context from what is known, packed into the bits of `facts`. */
export function contextOf(what: number, facts: number): number {
  const hash = Math.imul((facts << 5) | what, 0x85ebca6b);
  return hash ^ (hash >>> 15);
}

export function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}

/** Magnitudes in eleven coarse levels. */
export function level(magnitude: number): number {
  return magnitude < LEVELS.length ? (LEVELS[magnitude] ?? 0) : TOP_LEVEL;
}

/** {@link level} with the sign of the number, and 16 more to be positive: five bits. */
export function signedLevel(value: number): number {
  return 16 + (value < 0 ? -level(-value) : level(value));
}

/** The bucket with the sign of the number, and 32 more to be positive: six bits. */
export function signedBucket(value: number): number {
  return 32 + (value < 0 ? -bucketOf(-value) : bucketOf(value));
}

/** The least magnitude of each level but 0. */
const LEVEL_STARTS = [1, 2, 3, 4, 6, 9, 14, 24, 48, 128];
const TOP_LEVEL = LEVEL_STARTS.length;
const LEVELS = Uint8Array.from(
  { length: 128 },
  (_, magnitude) => LEVEL_STARTS.filter((start) => start <= magnitude).length,
);
