import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pace } from '../../src/upload/pace.ts';

describe('the pace', () => {
  it('lets nothing go before its time on the line, the first piece included', () => {
    const pace = new Pace(1000);
    expect(pace.delayMs(500, 0)).toBe(500);
    expect(pace.delayMs(500, 500)).toBe(500);
  });

  it('makes up for timers that fire late, but not for a stall', () => {
    const pace = new Pace(1000);
    pace.delayMs(1000, 0);
    expect(pace.delayMs(100, 1040)).toBe(60);
    expect(pace.delayMs(1000, 60_000)).toBe(750);
  });

  it('never exceeds the rate by more than its slack over any stretch from the start', () => {
    const gaps = fc.array(fc.tuple(fc.integer({ min: 1, max: 65_536 }), fc.nat(3000)), { maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 1_000_000 }), gaps, (rate, pieces) => {
        const pace = new Pace(rate);
        let nowMs = 0;
        let bytes = 0;
        for (const [size, idleMs] of pieces) {
          nowMs += idleMs;
          nowMs += pace.delayMs(size, nowMs);
          bytes += size;
          expect(bytes).toBeLessThanOrEqual((rate * (nowMs + 1)) / 1000);
        }
      }),
    );
  });

  it('sends in pieces of an eighth of a second, within reason', () => {
    expect(new Pace(256 * 1024).chunkBytes).toBe(32_768);
    expect(new Pace(100).chunkBytes).toBe(4096);
    expect(new Pace(1e9).chunkBytes).toBe(65_536);
  });
});
