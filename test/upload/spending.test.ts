import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { charge, NO_SPENDING, readSpending, spentAt } from '../../src/upload/spending.ts';

/** Local time, as the budgets are. */
const at = (text: string): number => new Date(text).getTime();

describe('what uploads have cost', () => {
  it('counts by local day and month', () => {
    let spending = charge(NO_SPENDING, 100, at('2026-03-30T23:59:59'));
    expect(spentAt(spending, at('2026-03-30T23:59:59.999'))).toEqual({ todayBytes: 100, monthBytes: 100 });
    expect(spentAt(spending, at('2026-03-31T00:00:00'))).toEqual({ todayBytes: 0, monthBytes: 100 });
    spending = charge(spending, 7, at('2026-03-31T12:00:00'));
    expect(spentAt(spending, at('2026-03-31T13:00:00'))).toEqual({ todayBytes: 7, monthBytes: 107 });
    expect(spentAt(spending, at('2026-04-01T00:00:00'))).toEqual({ todayBytes: 0, monthBytes: 0 });
    expect(spending.totalBytes).toBe(107);
  });

  it('does not hand out a budget twice when the clock jumps and comes back', () => {
    let spending = charge(NO_SPENDING, 500, at('2026-03-10T10:00:00'));
    spending = charge(spending, 20, at('1970-01-02T00:00:10'));
    spending = charge(spending, 30, at('2031-01-01T00:00:10'));
    expect(spentAt(spending, at('2026-03-10T11:00:00'))).toEqual({ todayBytes: 500, monthBytes: 500 });
  });

  it('never loses a byte within a day, and stays small over years', () => {
    const day = at('2026-05-05T00:00:00');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1_000_000), fc.nat(86_399_999))), (charges) => {
        const spending = charges.reduce((sum, [bytes, ms]) => charge(sum, bytes, day + ms), NO_SPENDING);
        const total = charges.reduce((sum, [bytes]) => sum + bytes, 0);
        expect(spentAt(spending, day)).toEqual({ todayBytes: total, monthBytes: total });
      }),
    );
    let spending = NO_SPENDING;
    for (let days = 0; days < 1000; days++) spending = charge(spending, 1, day + days * 86_400_000);
    expect(JSON.stringify(spending).length).toBeLessThan(400);
    expect(spending.totalBytes).toBe(1000);
  });

  it('survives being written and read, and does not take a broken file for nothing spent', () => {
    const spending = charge(NO_SPENDING, 5, at('2026-03-10T10:00:00'));
    expect(readSpending(JSON.parse(JSON.stringify(spending)))).toEqual(spending);
    for (const bad of [
      null,
      'x',
      {},
      { ...spending, totalBytes: -1 },
      { ...spending, days: [{ name: 'x' }] },
    ]) {
      expect(readSpending(bad)).toBeUndefined();
    }
  });
});
