import { type EventColumns, KIND } from '../core/events.ts';
import type { MixAxis } from './mix-axis.ts';
import { type MixClock, tickOfTime } from './mix-clock.ts';
import { CONTEXT, clamp, contextOf, level } from './mix-contexts.ts';
import type { MixModel } from './mix-model.ts';
import { bucketOf, codeSigned } from './mix-numbers.ts';
import { wholeTime } from './time-steps.ts';

/** Steps that have a decision of their own. More of them compress worse: what is rare is better told by its size. */
export const STEP_PALETTE = 4;
const PALETTE_NODE = 404;
const PALETTE_SET_A = 24;
const PALETTE_SET_B = 28;
const SIGN_SET = 48;
const NUMBER_SET = 64;
const LIKELY_BUCKET = 6;

/** The commonest steps of 0 to 255 ticks between pointer events, commonest first, the smaller first among equals. */
export function commonestTicks(columns: EventColumns, clock: MixClock): Uint8Array {
  const counts = new Uint32Array(256);
  const start = wholeTime(columns, 0);
  let last = 0;
  for (let i = 0; i < columns.count; i++) {
    if ((columns.kind[i] ?? 0) >= KIND.keydown) continue;
    const tick = tickOfTime(clock, wholeTime(columns, i) - start);
    const step = tick - last;
    if (step >= 0 && step < counts.length) counts[step] = (counts[step] ?? 0) + 1;
    last = tick;
  }
  const found = [...counts.keys()].filter((step) => (counts[step] ?? 0) > 0);
  found.sort((left, right) => (counts[right] ?? 0) - (counts[left] ?? 0) || left - right);
  return Uint8Array.from(found.slice(0, STEP_PALETTE));
}

/** Codes the ticks from each pointer event to the next, and remembers the last four. */
export class MixSteps {
  readonly #palette: Uint8Array;
  /** The latest four steps, 0 to 1023. */
  last = 0;
  second = 0;
  #third = 0;
  #fourth = 0;
  /** Place of the latest in the palette; {@link STEP_PALETTE}: it has none. */
  rank = STEP_PALETTE;

  constructor(palette: Uint8Array) {
    this.#palette = palette;
  }

  /** `code` is the class of this event, `codeBefore` that of the one before. */
  code(model: MixModel, step: number, code: number, codeBefore: number, x: MixAxis, y: MixAxis): number {
    const palette = this.#palette;
    const near = level((x.near + y.near) >> 4);
    const speed = level(Math.abs(x.motion) + Math.abs(y.motion));
    this.#setContexts(model, code, codeBefore, x, y, near, speed);
    const wanted = palette.indexOf(step);
    const setB = PALETTE_SET_B + STEP_PALETTE * this.rank;
    let rank = 0;
    for (; rank < palette.length; rank++) {
      const isIt = model.bit(rank === wanted ? 1 : 0, PALETTE_NODE + rank, PALETTE_SET_A + rank, setB + rank);
      if (isIt !== 0) break;
    }
    let coded = palette[rank];
    if (coded === undefined) {
      rank = STEP_PALETTE;
      const contexts = model.contexts;
      contexts[0] = contextOf(CONTEXT.longStep, code);
      contexts[1] = contextOf(CONTEXT.longStep, (codeBefore << 4) | near);
      contexts[2] = contextOf(CONTEXT.longStep, (speed << 3) | code);
      contexts[3] = contextOf(CONTEXT.longStep, (bucketOf(this.last) << 3) | code);
      model.inputs = 4;
      coded = codeSigned(model, step, LIKELY_BUCKET, SIGN_SET, NUMBER_SET);
    }
    this.rank = rank;
    return coded;
  }

  /** A step is over and done with; 0 to 1023. */
  push(step: number): void {
    this.#fourth = this.#third;
    this.#third = this.second;
    this.second = this.last;
    this.last = step;
  }

  #setContexts(
    model: MixModel,
    code: number,
    codeBefore: number,
    x: MixAxis,
    y: MixAxis,
    near: number,
    speed: number,
  ): void {
    const { last, second } = this;
    const levels = (level(Math.abs(x.motion)) << 4) | level(Math.abs(y.motion));
    const dueX = 2 + clamp(x.gap - x.since, -2, 15);
    const dueY = 2 + clamp(y.gap - y.since, -2, 15);
    const codes = (codeBefore << 3) | code;
    const contexts = model.contexts;
    contexts[0] = contextOf(CONTEXT.step, (last << 13) | (second << 3) | code);
    contexts[1] = contextOf(CONTEXT.step, (levels << 6) | codes);
    contexts[2] = contextOf(CONTEXT.step, (near << 6) | codes);
    contexts[3] = contextOf(CONTEXT.step, (last << 10) | (speed << 6) | codes);
    contexts[4] = contextOf(CONTEXT.step, (dueX << 5) | dueY);
    contexts[5] = contextOf(CONTEXT.step, last + second + this.#third + this.#fourth);
    model.inputs = 6;
  }
}
