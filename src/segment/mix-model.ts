import type { BitCoder } from './mix-coder.ts';
import { RATE, SQUASH, STEP, STRETCH, STRETCH_LIMIT, TRUST } from './mix-tables.ts';

/** Contexts that are mixed, at most. Each has slots of its own, 128 KiB. */
const MAX_INPUTS = 6;
/** Slots of a context by the logarithm; 16 neighbours, which lie in a cache line, belong to one hash. */
const SLOT_BITS = 15;
const LINE_BITS = 4;
const LINE_MASK = (1 << LINE_BITS) - 1;
/** A slot that was never used: even odds, count 0. */
const FRESH_SLOT = 1 << 31;
/** Counts stop here; a slot's probability then moves by a 129th of each error. */
const COUNT_LIMIT = 127;
const CERTAIN = 2 ** 22 - 1;

/** Entries of a set of weights: for each input, one for a constant, one unused. */
const STRIDE = 8;
const SETS = 540;
const CONSTANT = 256;
/** Of 65536: a little more than an even share of six. */
const FIRST_WEIGHT = 14_000;
const USES_LIMIT = 1023;

/** Knots of a refinement, 128 stretched units apart. */
const KNOTS = 33;

/**
 * Predicts decisions by mixing what several contexts remember of their kind, and learns from each. The caller sets
 * `contexts` and `inputs` for a value, then calls {@link bit} for each of its decisions. Everything is arithmetic in 32
 * bits; docs/SEGMENT.md has it step by step.
 */
export class MixModel {
  /** A hash of what is known, for each input. */
  readonly contexts = new Int32Array(MAX_INPUTS);
  /** How many of the contexts count. */
  inputs = 0;
  /** Predicted decisions so far: what decoding costs. */
  decisions = 0;
  readonly #coder: BitCoder;
  /** Upper 22 bits: the probability of a 1. Lower 10: how often it was used. */
  readonly #slots = new Int32Array(MAX_INPUTS << SLOT_BITS).fill(FRESH_SLOT);
  readonly #weightsA = new Int32Array(SETS * STRIDE).fill(FIRST_WEIGHT);
  readonly #weightsB = new Int32Array(SETS * STRIDE).fill(FIRST_WEIGHT);
  readonly #usesA = new Int32Array(SETS);
  readonly #usesB = new Int32Array(SETS);
  readonly #knots = firstKnots();
  readonly #places = new Int32Array(MAX_INPUTS);
  readonly #inputs = new Int32Array(MAX_INPUTS);

  constructor(coder: BitCoder) {
    this.#coder = coder;
  }

  /**
   * Codes one decision. `node` tells the decisions of a value apart; `setA` and `setB` choose the weights, `setB` the
   * refinement too. `given` is the decision when encoding; the result is the decision either way.
   */
  bit(given: number, node: number, setA: number, setB: number): number {
    const slots = this.#slots;
    const weightsA = this.#weightsA;
    const weightsB = this.#weightsB;
    const places = this.#places;
    const values = this.#inputs;
    const contexts = this.contexts;
    const inputs = this.inputs;
    const atA = setA * STRIDE;
    const atB = setB * STRIDE;
    const salt = Math.imul((node >> LINE_BITS) + 1, 0x2545f491);
    let sumA = Math.imul(weightsA[atA + MAX_INPUTS] ?? 0, CONSTANT);
    let sumB = Math.imul(weightsB[atB + MAX_INPUTS] ?? 0, CONSTANT);
    for (let i = 0; i < inputs; i++) {
      const line = Math.imul((contexts[i] ?? 0) + salt, 0x9e3779b1) >>> (32 - SLOT_BITS + LINE_BITS);
      const place = (i << SLOT_BITS) | (line << LINE_BITS) | (node & LINE_MASK);
      const slot = slots[place] ?? 0;
      const value = Math.imul(TRUST[slot & 1023] ?? 0, STRETCH[slot >>> 20] ?? 0) >> 8;
      places[i] = place;
      values[i] = value;
      sumA = (sumA + Math.imul(weightsA[atA + i] ?? 0, value)) | 0;
      sumB = (sumB + Math.imul(weightsB[atB + i] ?? 0, value)) | 0;
    }
    const mixedA = limit(sumA >> 16);
    const mixedB = limit(sumB >> 16);
    const mixed = 2048 + ((mixedA + mixedB) >> 1);

    const knots = this.#knots;
    const knot = setB * KNOTS + (mixed >> 7);
    const part = mixed & 127;
    const below = knots[knot] ?? 0;
    const above = knots[knot + 1] ?? 0;
    const refined = (Math.imul(below, 128 - part) + Math.imul(above, part)) >> 7;
    const one = ((SQUASH[mixed] ?? 0) + refined) >> 1;
    const bit = this.#coder.code(given, one < 32 ? 32 : one > 65504 ? 65504 : one);
    this.decisions++;

    const target = bit === 0 ? 0 : 65535;
    if (part > 64) knots[knot + 1] = above + ((target - above) >> 6);
    else knots[knot] = below + ((target - below) >> 6);
    const usesA = this.#usesA[setA] ?? 0;
    const usesB = this.#usesB[setB] ?? 0;
    if (usesA < USES_LIMIT) this.#usesA[setA] = usesA + 1;
    if (usesB < USES_LIMIT) this.#usesB[setB] = usesB + 1;
    const errorA = Math.imul(target - (SQUASH[2048 + mixedA] ?? 0), STEP[usesA] ?? 0) >> 4;
    const errorB = Math.imul(target - (SQUASH[2048 + mixedB] ?? 0), STEP[usesB] ?? 0) >> 4;
    learn(weightsA, atA + MAX_INPUTS, CONSTANT, errorA);
    learn(weightsB, atB + MAX_INPUTS, CONSTANT, errorB);
    const goal = bit === 0 ? 0 : CERTAIN;
    for (let i = 0; i < inputs; i++) {
      const value = values[i] ?? 0;
      learn(weightsA, atA + i, value, errorA);
      learn(weightsB, atB + i, value, errorB);
      const place = places[i] ?? 0;
      const slot = slots[place] ?? 0;
      const count = slot & 1023;
      const before = slot >>> 10;
      const after = before + (Math.imul((goal - before) >> 3, RATE[count] ?? 0) >> 9);
      slots[place] = (after << 10) | (count < COUNT_LIMIT ? count + 1 : count);
    }
    return bit;
  }

  /** A decision with even odds, of which nothing is remembered. */
  plain(given: number): number {
    return this.#coder.code(given, 32768);
  }
}

function learn(weights: Int32Array, at: number, value: number, error: number): void {
  weights[at] = (weights[at] ?? 0) + ((Math.imul(value, error) + 8192) >> 14);
}

function limit(value: number): number {
  return value > STRETCH_LIMIT ? STRETCH_LIMIT : value < -STRETCH_LIMIT ? -STRETCH_LIMIT : value;
}

/** At first a refinement changes nothing. */
function firstKnots(): Int32Array {
  const row = Int32Array.from(
    { length: KNOTS },
    (_, i) => SQUASH[i === 0 ? 1 : Math.min(4095, 128 * i)] ?? 0,
  );
  const knots = new Int32Array(SETS * KNOTS);
  for (let at = 0; at < knots.length; at += KNOTS) knots.set(row, at);
  return knots;
}
