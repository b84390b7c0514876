import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWithinHours, msToNextEdge, parseHours } from '../../src/core/hours.ts';

const at = (day: number, hour: number, minute = 0): number =>
  new Date(2026, 10, 1 + day, hour, minute).getTime();
// 1 November 2026 is a Sunday.
const SUNDAY = 0;
const MONDAY = 1;
const FRIDAY = 5;
const SATURDAY = 6;

describe('weekly hours', () => {
  it('without a spec are always', () => {
    expect(parseHours('')).toBeNull();
    expect(isWithinHours(null, at(SUNDAY, 3))).toBe(true);
    expect(msToNextEdge(null, at(SUNDAY, 3))).toBeNull();
  });

  it('include their first minute and end before their last', () => {
    const hours = parseHours('Mon-Fri 08:00-18:00') ?? null;
    expect(isWithinHours(hours, at(MONDAY, 7, 59))).toBe(false);
    expect(isWithinHours(hours, at(MONDAY, 8))).toBe(true);
    expect(isWithinHours(hours, at(FRIDAY, 17, 59))).toBe(true);
    expect(isWithinHours(hours, at(FRIDAY, 18))).toBe(false);
    expect(isWithinHours(hours, at(SATURDAY, 12))).toBe(false);
  });

  it('may cross midnight and the week’s end', () => {
    const night = parseHours('Sat 22:00-02:00') ?? null;
    expect(isWithinHours(night, at(SATURDAY, 23))).toBe(true);
    expect(isWithinHours(night, at(SUNDAY, 1, 59))).toBe(true);
    expect(isWithinHours(night, at(SUNDAY, 2))).toBe(false);
    expect(isWithinHours(parseHours('Fri-Mon 10:00-11:00') ?? null, at(SUNDAY, 10))).toBe(true);
  });

  it('may have several parts and lists of days', () => {
    const hours = parseHours('Mon,Wed 08:00-09:00; Sat 10:00-24:00') ?? null;
    expect(isWithinHours(hours, at(3, 8, 30))).toBe(true);
    expect(isWithinHours(hours, at(2, 8, 30))).toBe(false);
    expect(isWithinHours(hours, at(SATURDAY, 23, 59))).toBe(true);
  });

  it.each([
    'Mon',
    '08:00-18:00',
    'Mon-Foo 08:00-18:00',
    'Mon 8-18',
    'Mon 25:00-26:00',
    'Mon 08:70-09:00',
    'Mon 08:00-08:00',
  ])('%s is refused', (spec) => {
    expect(parseHours(spec)).toBeUndefined();
  });

  it('change only at the edges they announce', () => {
    const hours = parseHours('Mon-Fri 08:00-18:00; Sat 22:30-01:15') ?? null;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 14 * 1440 - 1 }), (minute) => {
        const now = at(SUNDAY, 0, minute);
        const edge = msToNextEdge(hours, now) ?? 0;
        expect(edge).toBeGreaterThan(0);
        expect(isWithinHours(hours, now + edge - 1)).toBe(isWithinHours(hours, now));
        // Midnight within a span is an edge at which nothing changes.
        const isMidnight = new Date(now + edge).getHours() === 0;
        expect(isWithinHours(hours, now + edge) === isWithinHours(hours, now)).toBe(isMidnight);
      }),
    );
  });
});
