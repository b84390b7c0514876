import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isWithinHours, msToNextEdge, parseHours } from '../../src/core/hours.ts';
import { canonicalHours, overlapHours } from '../../src/core/hours-overlap.ts';

const minute = fc.integer({ min: 0, max: 1439 });
const day = fc.constantFrom('Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun');
const clock = (at: number): string =>
  `${String(Math.floor(at / 60)).padStart(2, '0')}:${String(at % 60).padStart(2, '0')}`;
const part = fc
  .tuple(day, day, minute, minute)
  .filter(([, , from, to]) => from !== to)
  .map(([first, last, from, to]) => `${first}-${last} ${clock(from)}-${clock(to)}`);
const spec = fc.oneof(
  fc.constantFrom('', 'never', 'Mon-Sun 00:00-24:00'),
  fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(';')),
);
/** Some week, in local time as the hours are. */
const moment = fc.integer({ min: 0, max: 7 * 1440 - 1 }).map((at) => new Date(2025, 5, 1, 0, at).getTime());

const isIn = (hours: string, at: number): boolean => isWithinHours(parseHours(hours) ?? null, at);

describe('the overlap of weekly hours', () => {
  test('allows a minute exactly when both specs do', () => {
    fc.assert(
      fc.property(spec, spec, fc.array(moment, { minLength: 20, maxLength: 20 }), (a, b, moments) => {
        const both = overlapHours(a, b);
        expect(parseHours(both)).not.toBeUndefined();
        for (const at of moments) expect(isIn(both, at)).toBe(isIn(a, at) && isIn(b, at));
      }),
    );
  });

  test('keeps the first spec as it was written when the second takes nothing away', () => {
    fc.assert(
      fc.property(spec, (a) => {
        expect(overlapHours(a, a)).toBe(a);
      }),
    );
    fc.assert(
      fc.property(spec, (a) => {
        expect(overlapHours(a, '')).toBe(a);
      }),
    );
  });

  test('has one spelling for the same hours', () => {
    expect(canonicalHours('Mon,Tue,Wed 08:00-12:00; Mon-Wed 11:00-18:00')).toBe('Mon-Wed 08:00-18:00');
    expect(canonicalHours('Sat 22:00-02:00')).toBe('Sat 22:00-24:00; Sun 00:00-02:00');
    expect(canonicalHours('Mon-Sun 00:00-24:00')).toBe('');
    expect(canonicalHours('  ')).toBe('');
  });

  test('`never` has no minute and no edge to wait for', () => {
    const never = parseHours('never') ?? null;
    fc.assert(fc.property(moment, (at) => !isWithinHours(never, at) && msToNextEdge(never, at) === null));
  });

  test('takes a spec that is none for never', () => {
    expect(canonicalHours('soon')).toBe('never');
    expect(overlapHours('', 'soon')).not.toBe('');
  });
});
