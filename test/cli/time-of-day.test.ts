import { describe, expect, it } from 'vitest';
import { nextTimeOfDay } from '../../src/cli/time-of-day.ts';

process.env['TZ'] = 'Europe/Berlin';

/** When the clock next shows `time` after `now`, both as ISO 8601. */
function next(time: string, now: string): string | undefined {
  const at = nextTimeOfDay(time, Date.parse(now));
  return at === undefined ? undefined : new Date(at).toISOString();
}

describe('a time of day', () => {
  it('is today’s, or tomorrow’s once that is past', () => {
    expect(next('15:30', '2026-11-24T13:00:00Z')).toBe('2026-11-24T14:30:00.000Z');
    expect(next('15:30', '2026-11-24T14:30:00Z')).toBe('2026-11-25T14:30:00.000Z');
    expect(next('0:05', '2026-12-31T22:59:59Z')).toBe('2026-12-31T23:05:00.000Z');
    expect(next('9:00:01', '2026-11-24T07:00:00Z')).toBe('2026-11-24T08:00:01.000Z');
  });

  it('comes twice in the night that repeats an hour', () => {
    expect(next('02:30', '2026-10-24T23:00:00Z')).toBe('2026-10-25T00:30:00.000Z');
    expect(next('02:30', '2026-10-25T00:45:00Z')).toBe('2026-10-25T01:30:00.000Z');
    expect(next('02:30', '2026-10-25T01:45:00Z')).toBe('2026-10-26T01:30:00.000Z');
  });

  it.each(['24:00', '1530', '15:60', '15:3', '-1:00', '15:30 ', ''])('%j is none', (text) => {
    expect(next(text, '2026-11-24T13:00:00Z')).toBeUndefined();
  });
});
