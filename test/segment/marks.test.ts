import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/segment/frames.ts';
import {
  decodeClockSync,
  decodeFooter,
  decodeGap,
  decodeLoss,
  encodeClockSync,
  encodeFooter,
  encodeGap,
  encodeLoss,
} from '../../src/segment/marks.ts';
import { hex } from './samples.ts';

describe('a gap', () => {
  it('is its kind, its start, its length', () => {
    const gap = { kind: 'crashed', startMonoMs: 300, endMonoMs: 500 } as const;
    expect(encodeGap(gap)).toEqual(encodeFrame(4, hex('02 d8 04 c8 01')));
    expect(decodeGap(hex('02 d8 04 c8 01'))).toEqual(gap);
  });

  it('that ends before it starts is stored without length', () => {
    const reset = encodeGap({ kind: 'asleep', startMonoMs: 500, endMonoMs: 2 });
    expect(reset).toEqual(encodeGap({ kind: 'asleep', startMonoMs: 500, endMonoMs: 500 }));
  });

  it.each([
    ['an unknown kind', '04 00 00'],
    ['no end', '00 02'],
    ['bytes left over', '00 00 00 00'],
    ['a start beyond 2^50', '00 82 80 80 80 80 80 80 08 00'],
  ])('with %s is refused', (_, payload) => {
    expect(() => decodeGap(hex(payload))).toThrow(/Not a sound segment file/);
  });
});

describe('a clock frame', () => {
  it('keeps the difference of the clocks to half a millisecond', () => {
    const time = fc.double({ min: 0, max: 2 ** 42, noNaN: true });
    const holds = fc.property(time, time, (monoMs, wallMs) => {
      const frame = encodeClockSync({ monoMs, wallMs });
      const read = decodeClockSync(frame.subarray(2, -4));
      expect(Math.abs(read.wallMs - read.monoMs - (wallMs - monoMs))).toBeLessThanOrEqual(0.501);
    });
    fc.assert(holds);
  });
});

describe('a loss frame', () => {
  it('is three counts', () => {
    expect(encodeLoss({ thinned: 300, redacted: 2, dropped: 0 })).toEqual(encodeFrame(7, hex('ac 02 02 00')));
    expect(decodeLoss(hex('ac 02 02 00'))).toEqual({ thinned: 300, redacted: 2, dropped: 0 });
  });

  it('has no negative counts: where one would be, the number is too large', () => {
    expect(() => decodeLoss(hex('ff ff ff ff ff ff ff ff ff 01 00 00'))).toThrow(/number is too large/);
  });
});

describe('a footer', () => {
  it('is the count, the first and last time, and 32 bytes of SHA-256', () => {
    const sha256 = new Uint8Array(32).fill(0xab);
    const footer = { events: 200, firstMonoMs: -1, lastMonoMs: 64, sha256 };
    const payload = hex('c8 01 01 80 01', 'ab'.repeat(32));
    expect(encodeFooter(footer)).toEqual(encodeFrame(3, payload));
    expect(decodeFooter(payload)).toEqual(footer);
    expect(() => decodeFooter(payload.subarray(0, -1))).toThrow(/cut short/);
  });
});
