import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SegmentResult } from '../../src/control/protocol.ts';
import {
  backoffUntil,
  NO_BACKOFF,
  nextBackoff,
  readBackoff,
  type UploadBackoff,
} from '../../src/upload/upload-policy.ts';

const T0 = Date.parse('2026-03-02T10:00:00Z');
const HOUR = 3_600_000;

function result(outcome: SegmentResult['outcome'], retryAfterMs: number | null = null): SegmentResult {
  return {
    id: 's',
    outcome,
    sha256: '',
    status: 0,
    detail: `it was ${outcome}`,
    chargedBytes: 0,
    retryAfterMs,
  };
}

/** The state after these outcomes, one second apart. */
function after(outcomes: readonly SegmentResult['outcome'][], random = 0.999_999): UploadBackoff {
  return outcomes.reduce(
    (state, outcome) => nextBackoff(state, result(outcome), T0, () => random),
    NO_BACKOFF,
  );
}

function waitMs(state: UploadBackoff): number {
  return (backoffUntil(state, T0) ?? T0) - T0;
}

describe('the wait after failures', () => {
  it('grows from 30 s to an hour with each failure in a row, at most', () => {
    const waits = [1, 2, 3, 7, 8, 50].map((count) => waitMs(after(Array(count).fill('retry'))));
    expect(waits.map((ms) => Math.round(ms / 1000))).toEqual([30, 60, 120, 1920, 3600, 3600]);
  });

  it('is spread over the whole span down to a second, never less', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        (count, random) => {
          const ms = waitMs(after(Array(count).fill('retry'), random));
          expect(ms).toBeGreaterThanOrEqual(1000);
          expect(ms).toBeLessThanOrEqual(HOUR);
        },
      ),
    );
    expect(waitMs(after(['retry'], 0))).toBe(1000);
    expect(waitMs(after(['retry', 'retry'], 0.5))).toBe(30_000);
  });

  it('is what the collector asked for, times a random 1 to 2', () => {
    const asked = (random: number): number =>
      waitMs(nextBackoff(NO_BACKOFF, result('retry', 2 * HOUR), T0, () => random));
    expect(asked(0)).toBe(2 * HOUR);
    expect(asked(0.5)).toBe(3 * HOUR);
  });

  it('is not shortened by a collector that asks for less than our own', () => {
    const state = nextBackoff(after(Array(6).fill('retry')), result('retry', 0), T0, () => 0.5);
    expect(waitMs(state)).toBe(960_000);
  });

  it('ends with the first stored segment', () => {
    expect(after(['retry', 'unauthorised', 'too-large', 'stored'])).toEqual(NO_BACKOFF);
  });

  it('is not touched by a refused file or by our own abort', () => {
    const state = after(['retry', 'retry']);
    expect(nextBackoff(state, result('refused'), T0 + 1, () => 0.5)).toBe(state);
    expect(nextBackoff(state, result('aborted'), T0 + 1, () => 0.5)).toBe(state);
  });

  it('has no end when the collector refuses the device, and says so', () => {
    const state = after(['unauthorised']);
    expect(state).toMatchObject({ isUnauthorised: true, detail: 'it was unauthorised' });
    expect(backoffUntil(state, T0)).toBeNull();
  });

  it('is a day or two when a file is too large, so that it heals by itself once the limit is mended', () => {
    expect(waitMs(after(['too-large'], 0))).toBe(24 * HOUR);
    expect(after(['too-large'])).toMatchObject({ isTooLarge: true, detail: 'it was too-large' });
  });

  it('is over when its time has come, and when the clock was set back before its start', () => {
    const state = after(['retry']);
    const until = state.untilWallMs ?? 0;
    expect(backoffUntil(state, until - 1)).toBe(until);
    expect(backoffUntil(state, until)).toBeNull();
    expect(backoffUntil(state, T0 - 30_000)).toBe(until);
    expect(backoffUntil(state, T0 - HOUR)).toBeNull();
  });

  it('survives being written and read; anything else is read as no wait', () => {
    const state = after(['retry', 'too-large']);
    expect(readBackoff(JSON.parse(JSON.stringify(state)))).toEqual(state);
    for (const bad of [
      null,
      7,
      [],
      {},
      { ...state, attempt: -1 },
      { ...state, untilWallMs: 'soon' },
      { ...state, detail: 3 },
    ]) {
      expect(readBackoff(bad)).toEqual(NO_BACKOFF);
    }
  });
});

describe('a collector that keeps a file', () => {
  const DAY = 24 * HOUR;
  const kept = (keptForMs: number | undefined, promisedMs: number | null): UploadBackoff =>
    nextBackoff(
      NO_BACKOFF,
      { ...result('stored'), ...(keptForMs === undefined ? {} : { keptForMs }) },
      T0,
      () => 0,
      promisedMs,
    );

  it('longer than was promised, or without saying how long, gets no more until something is changed', () => {
    for (const state of [kept(31 * DAY, 30 * DAY), kept(undefined, 30 * DAY)]) {
      expect(state.isKeptTooLong).toBe(true);
      expect(readBackoff(JSON.parse(JSON.stringify(state)))).toEqual(state);
      // No time ends it.
      expect(waitMs(state)).toBe(0);
    }
  });

  it('as long as was promised, shorter, or where nothing was promised, is well', () => {
    for (const state of [kept(30 * DAY + 2000, 30 * DAY), kept(DAY, 30 * DAY), kept(undefined, null)])
      expect(state).toEqual(NO_BACKOFF);
  });
});
