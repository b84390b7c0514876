import type { MixModel } from './mix-model.ts';

/** A number takes this many sets in a row: 16 for the steps of its walk, one for what is below its bucket. */
export const NUMBER_SETS = 17;
const MANTISSA_SET = 16;
/** The node after those of a number, for its sign. */
export const SIGN_NODE = 400;
const MANTISSA_NODE = 128;

/**
 * Magnitudes of about the same size share a bucket: 0 to 3 have their own, then each power of two has one. From 2^28 on
 * they are written out.
 */
const LAST_BUCKET = 30;
const LAST_BUCKET_FROM = 2 ** 28;
const PLAIN_BITS = 52;
/** This many bits below a bucket are predicted, by the first two contexts. The rest is noise. */
const PREDICTED_BITS = 3;
const PREDICTED_INPUTS = 2;

export function bucketOf(magnitude: number): number {
  if (magnitude < 4) return magnitude;
  return magnitude < LAST_BUCKET_FROM ? 33 - Math.clz32(magnitude) : LAST_BUCKET;
}

/** Codes a whole number from 0 to 2^52 - 1. `start` is the bucket where it is likely to be. */
export function codeMagnitude(
  model: MixModel,
  magnitude: number,
  start: number,
  setA: number,
  setB: number,
): number {
  const bucket = walk(model, bucketOf(magnitude), start, setA, setB);
  if (bucket < 4) return bucket;
  if (bucket === LAST_BUCKET) return codePlain(model, magnitude, PLAIN_BITS);
  const inputs = model.inputs;
  model.inputs = Math.min(PREDICTED_INPUTS, inputs);
  let coded = 1;
  for (let left = bucket - 3, depth = 0; left >= 0; left--, depth++) {
    const bit = (magnitude >> left) & 1;
    const node = MANTISSA_NODE + 8 * bucket + coded;
    const isPredicted = depth < PREDICTED_BITS;
    coded =
      2 * coded +
      (isPredicted ? model.bit(bit, node, setA + MANTISSA_SET, setB + MANTISSA_SET) : model.plain(bit));
  }
  model.inputs = inputs;
  return coded;
}

/** Whether it is above the start; then step by step away from it. */
function walk(model: MixModel, bucket: number, start: number, setA: number, setB: number): number {
  let at = start;
  if (model.bit(bucket > at ? 1 : 0, 3 * at, setA, setB) !== 0) {
    for (at++; at < LAST_BUCKET; at++) {
      const step = Math.min(7, at - start);
      if (model.bit(bucket > at ? 1 : 0, 3 * at + 1, setA + step, setB + step) === 0) break;
    }
  } else {
    for (; at > 0; at--) {
      const step = Math.min(15, 8 + start - at);
      if (model.bit(bucket < at ? 1 : 0, 3 * at + 2, setA + step, setB + step) === 0) break;
    }
  }
  return at;
}

/** Codes `bits` bits of a whole number, highest first, none of them predicted. */
export function codePlain(model: MixModel, value: number, bits: number): number {
  let coded = 0;
  for (let unit = 2 ** (bits - 1); unit >= 1; unit /= 2) {
    coded = 2 * coded + model.plain(Math.floor(value / unit) % 2);
  }
  return coded;
}

/** Codes a number that may be negative: its sign, then its magnitude. */
export function codeSigned(
  model: MixModel,
  value: number,
  start: number,
  signSet: number,
  numberSet: number,
): number {
  const isNegative = model.bit(value < 0 ? 1 : 0, SIGN_NODE, signSet, signSet) !== 0;
  const magnitude = codeMagnitude(model, Math.abs(value), start, numberSet, numberSet);
  return isNegative ? -magnitude : magnitude;
}
