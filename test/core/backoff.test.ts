import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { doublingMs, fullJitterMs } from '../../src/core/backoff.ts';

const LIMITS = { baseMs: 1000, capMs: 3_600_000 };

describe('backoff', () => {
  it('with full jitter spreads over the whole window and never leaves it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.double({ min: 0, max: 0.999999, noNaN: true }),
        (attempt, r) => {
          const wait = fullJitterMs(attempt, LIMITS, () => r);
          return wait >= 0 && wait < Math.min(LIMITS.capMs, LIMITS.baseMs * 2 ** (attempt - 1));
        },
      ),
    );
    expect(fullJitterMs(4, LIMITS, () => 0)).toBe(0);
    expect(fullJitterMs(4, LIMITS, () => 0.5)).toBe(4000);
    expect(fullJitterMs(4, LIMITS, () => 0, 700)).toBe(700);
  });

  it('doubles up to the cap', () => {
    expect([1, 2, 3, 60].map((attempt) => doublingMs(attempt, LIMITS))).toEqual([
      1000, 2000, 4000, 3_600_000,
    ]);
  });
});
