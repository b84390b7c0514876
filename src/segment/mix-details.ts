import { KIND } from '../core/events.ts';
import { CONTEXT, contextOf } from './mix-contexts.ts';
import type { MixModel } from './mix-model.ts';
import { codePlain } from './mix-numbers.ts';
import type { MixEvent } from './mix-types.ts';

const SAME_NODE = 406;
const WIDE_NODE = 407;
const TREE_NODE = 408;
const SET_OF_A = 100;
const SET_OF_B = 525;
const LOW = 0x3ff;

/** Codes the columns `a` and `b` of all but plain moves: buttons, notches, keys. */
export class MixDetails {
  /** The last `a` of buttons, wheels, keys and others, the last that differed from it, and the last `b`. */
  readonly #a = new Int32Array(4);
  readonly #otherA = new Int32Array(4);
  readonly #b = new Int32Array(4);

  code(model: MixModel, event: MixEvent, code: number, codeBefore: number): void {
    const group = GROUPS[code] ?? 3;
    const lastA = this.#a[group] ?? 0;
    const otherA = this.#otherA[group] ?? 0;
    const lastB = this.#b[group] ?? 0;
    const contexts = model.contexts;
    const lowA = lastA & LOW;
    const lowB = lastB & LOW;
    const lowOther = otherA & LOW;
    contexts[0] = contextOf(CONTEXT.detailA, code);
    contexts[1] = contextOf(CONTEXT.detailA, (lowA << 3) | code);
    contexts[2] = contextOf(CONTEXT.detailA, (lowA << 13) | (lowOther << 3) | code);
    contexts[3] = contextOf(CONTEXT.detailA, (lowOther << 6) | (codeBefore << 3) | code);
    model.inputs = 4;
    const a = codeDetail(model, event.a, lastA, SET_OF_A + 3 * group);
    contexts[0] = contextOf(CONTEXT.detailB, code);
    contexts[1] = contextOf(CONTEXT.detailB, (lowB << 3) | code);
    contexts[2] = contextOf(CONTEXT.detailB, ((a & LOW) << 3) | code);
    contexts[3] = contextOf(CONTEXT.detailB, ((a & LOW) << 13) | (lowB << 3) | code);
    const b = codeDetail(model, event.b, lastB, SET_OF_B + 3 * group);
    if (a !== lastA) this.#otherA[group] = lastA;
    this.#a[group] = a;
    this.#b[group] = b;
    event.a = a;
    event.b = b;
  }
}

/** By class of event. */
const GROUPS: Readonly<Record<number, number>> = {
  [KIND.down]: 0,
  [KIND.up]: 0,
  [KIND.wheel]: 1,
  [KIND.keydown]: 2,
  [KIND.keyup]: 2,
};

/** A 32-bit number that is likely as before; else folded, in eight predicted bits or in all 32 as they are. */
function codeDetail(model: MixModel, value: number, before: number, set: number): number {
  if (model.bit(value === before ? 1 : 0, SAME_NODE, set, set) !== 0) return before;
  const folded = value < 0 ? -2 * value - 1 : 2 * value;
  if (model.bit(folded > 255 ? 1 : 0, WIDE_NODE, set + 1, set + 1) !== 0)
    return unfold(codePlain(model, folded, 32));
  let coded = 1;
  for (let left = 7; left >= 0; left--) {
    coded = 2 * coded + model.bit((folded >> left) & 1, TREE_NODE + coded, set + 2, set + 2);
  }
  return unfold(coded - 256);
}

function unfold(folded: number): number {
  return folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
}
