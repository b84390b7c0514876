import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitDecoder, BitEncoder } from '../../src/segment/mix-coder.ts';
import { MixModel } from '../../src/segment/mix-model.ts';
import { bucketOf, codeMagnitude, codePlain, codeSigned } from '../../src/segment/mix-numbers.ts';
import { RATE, SQUASH, STEP, STRETCH, TRUST } from '../../src/segment/mix-tables.ts';

const magnitudes = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 0, max: 2 ** 32 }),
  fc.integer({ min: 0, max: 2 ** 52 - 1 }),
  fc.constantFrom(3, 4, 7, 8, 2 ** 28 - 1, 2 ** 28, 2 ** 31, 2 ** 52 - 1),
);

/** Codes values with one model, then reads them back with another. */
function roundTrip<T>(values: readonly T[], code: (model: MixModel, value: T) => T, nothing: T): T[] {
  const encoder = new BitEncoder();
  const writing = new MixModel(encoder);
  writing.inputs = 3;
  for (const value of values) code(writing, value);
  const decoder = new BitDecoder(encoder.finish().slice(), 0);
  const reading = new MixModel(decoder);
  reading.inputs = 3;
  const read = values.map(() => code(reading, nothing));
  decoder.end();
  return read;
}

describe('the tables', () => {
  it('are the same wherever they are made', () => {
    const hash = createHash('sha256');
    for (const table of [SQUASH, STRETCH, TRUST, RATE, STEP]) hash.update(JSON.stringify([...table]));
    expect(hash.digest('hex')).toBe('65c82eb655b0ed506e6cc69b834f342befa49da70e461068bebcbb1ea82c952c');
  });

  it('turn probabilities into stretched ones and back', () => {
    expect([SQUASH[2048], SQUASH[1], SQUASH[4095]]).toEqual([32_768, 20, 65_516]);
    for (let d = -2047; d <= 2047; d++) {
      const exact = 65_536 / (1 + Math.exp(-d / 256));
      expect(Math.abs((SQUASH[2048 + d] ?? 0) - exact)).toBeLessThan(4);
    }
    expect([STRETCH[0], STRETCH[2047], STRETCH[4095]]).toEqual([-2047, 0, 2047]);
    for (let p = 1; p < 4096; p++) expect(STRETCH[p]).toBeGreaterThanOrEqual(STRETCH[p - 1] ?? 0);
  });
});

describe('the model', () => {
  const bytesOf = (bits: readonly number[], contextAt: (i: number) => number): number => {
    const coder = new BitEncoder();
    const model = new MixModel(coder);
    model.inputs = 2;
    bits.forEach((bit, i) => {
      model.contexts[0] = contextAt(i);
      model.bit(bit, 0, 0, 0);
    });
    return coder.finish().length;
  };
  const bits = Array.from({ length: 4000 }, (_, i) => (i * 7) & (i >> 3) & 1);

  it('learns what always happens, and then spends almost nothing on it', () => {
    expect(bytesOf(new Array(4000).fill(1), () => 0)).toBeLessThan(6);
    expect(bytesOf(new Array(4000).fill(0), () => 0)).toBeLessThan(6);
  });

  it('tells contexts apart', () => {
    expect(bytesOf(bits, () => 0)).toBeGreaterThan(300);
    expect(bytesOf(bits, (i) => i & 15)).toBeLessThan(40);
  });
});

describe('numbers', () => {
  it('come back, whatever they are', () => {
    const holds = fc.property(fc.array(magnitudes), fc.integer({ min: 0, max: 30 }), (values, start) => {
      const code = (model: MixModel, value: number): number => codeMagnitude(model, value, start, 0, 40);
      expect(roundTrip(values, code, 0)).toEqual(values);
    });
    fc.assert(holds, { numRuns: 100 });
  });

  it('come back with their sign', () => {
    const signed = fc
      .tuple(magnitudes, fc.boolean())
      .map(([value, isNegative]) => (isNegative ? -value : value));
    const holds = fc.property(fc.array(signed), (values) => {
      const read = roundTrip(values, (model, value) => codeSigned(model, value, 5, 3, 64), 0);
      expect(read.map((value) => value + 0)).toEqual(values.map((value) => value + 0));
    });
    fc.assert(holds, { numRuns: 100 });
  });

  it('come back bit by bit', () => {
    const values = [0, 1, 2 ** 31, 2 ** 32 - 1];
    expect(roundTrip(values, (model, value) => codePlain(model, value, 32), 0)).toEqual(values);
  });

  it('share a bucket with those of their size', () => {
    expect([0, 1, 2, 3, 4, 7, 8, 15, 16, 2 ** 28 - 1, 2 ** 28, 2 ** 40].map(bucketOf)).toEqual([
      0, 1, 2, 3, 4, 4, 5, 5, 6, 29, 30, 30,
    ]);
  });
});
