import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitDecoder, BitEncoder } from '../../src/segment/mix-coder.ts';
import { concat } from './samples.ts';

const decisions = fc.array(
  fc.tuple(
    fc.integer({ min: 0, max: 1 }),
    fc.oneof(fc.integer({ min: 1, max: 65_535 }), fc.constantFrom(1, 2, 32_768, 65_534, 65_535)),
  ),
  { maxLength: 400 },
);
type Decisions = readonly (readonly [bit: number, one: number])[];

function encode(all: Decisions): Uint8Array {
  const coder = new BitEncoder();
  for (const [bit, one] of all) coder.code(bit, one);
  return coder.finish().slice();
}

function decode(bytes: Uint8Array, all: Decisions): number[] {
  const coder = new BitDecoder(bytes, 0);
  const bits = all.map(([, one]) => coder.code(0, one));
  coder.end();
  return bits;
}

describe('the arithmetic coder', () => {
  it('gives back every decision, and uses every byte', () => {
    const holds = fc.property(decisions, (all) => {
      expect(decode(encode(all), all)).toEqual(all.map(([bit]) => bit));
    });
    fc.assert(holds, { numRuns: 500 });
  });

  it('spends on a decision what its odds say', () => {
    const likely = Array.from({ length: 8000 }, (_, i) => [i % 64 === 0 ? 0 : 1, 64_512] as const);
    // 125 times 6 bits, 7875 times 0.0227.
    expect(encode(likely).length).toBeGreaterThan(113);
    expect(encode(likely).length).toBeLessThan(119);
    expect(encode(Array.from({ length: 8000 }, () => [1, 32_768] as const)).length).toBeLessThanOrEqual(1001);
  });

  it('needs no byte for what could not be otherwise', () => {
    expect(encode([])).toEqual(new Uint8Array());
    expect(encode([[1, 65_535]])).toEqual(new Uint8Array());
  });

  it('refuses bytes that no decision used, and decisions that no byte is left for', () => {
    const all = Array.from({ length: 100 }, (_, i) => [(i * i) % 3 === 0 ? 1 : 0, 30_000] as const);
    const bytes = encode(all);
    expect(() => decode(concat(bytes, new Uint8Array(5)), all)).toThrow(/bytes left over/);
    expect(() => decode(bytes.subarray(0, bytes.length - 5), all)).toThrow(/cut short/);
  });
});
