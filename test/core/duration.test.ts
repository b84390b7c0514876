import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/core/duration.ts';

describe('durations', () => {
  it.each([
    ['90s', 90_000],
    ['30m', 1_800_000],
    ['1h30m', 5_400_000],
    ['7d', 604_800_000],
    ['250ms', 250],
    ['0s', 0],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '30', '1.5h', '-5m', '5m1h', '1h 30m', 'm', '30M', '9999999999999999m', '1e3s'])(
    '%s is no duration',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it('prints what it can read again, to the second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 86_399 }), (seconds) => {
        const read = parseDuration(formatDuration(seconds * 1000)) ?? -1;
        // Two units are enough for a person; of a time with hours the seconds are left out.
        return seconds < 3600 ? read === seconds * 1000 : Math.abs(read - seconds * 1000) < 60_000;
      }),
    );
  });
});
