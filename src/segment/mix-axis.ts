import { CONTEXT, clamp, contextOf, level, signedBucket, signedLevel } from './mix-contexts.ts';
import type { MixModel } from './mix-model.ts';
import { bucketOf, codeMagnitude, NUMBER_SETS, SIGN_NODE } from './mix-numbers.ts';

/** What is known of an event before its motion. */
export interface StepFacts {
  /** Class of event, see `mix-events.ts`. */
  code: number;
  /** Ticks since the pointer event before, 0 to 1023. */
  step: number;
  /** Place of the step in the palette; 3 for the fourth and for none. */
  rank: number;
  /** The pointer rested: motion starts anew. */
  isRest: boolean;
  /** A button is held: 1, else 0. */
  held: number;
}

const RESIDUAL_SET = 160;
const SIGN_SET_A = 500;
const SIGN_SET_B = 505;
const LIMIT = 30_000;

/**
 * One of x and y: what is remembered of its motion, and the coding of its residuals. All is turned so that the motion
 * before is positive, whichever the direction and the axis: there is only one hand to learn.
 */
export class MixAxis {
  readonly #axis: 0 | 1;
  /** Motion of the last event, and of the one before. */
  motion = 0;
  #motionBefore = 0;
  /** By how much the motion of the last event differed from what was expected, and that of the one before. */
  residual = 0;
  #residualBefore = 0;
  /** Mean magnitude of residuals in 16ths, over the last few events and some more. */
  near = 16;
  #far = 16;
  /** A smoothed track: how far it is beyond the pointer, in 256ths of a pixel, and its speed, the same in a tick. */
  #offset = 0;
  #speed = 0;
  /** Ticks since this coordinate changed, and from that change to the one before. */
  since = 0;
  gap = 50;

  constructor(axis: 0 | 1) {
    this.#axis = axis;
  }

  /** The pointer rested. */
  rest(): void {
    this.motion = 0;
    this.#speed = 0;
  }

  /** Time passed: ticks, 0 to 1023. */
  pass(step: number): void {
    this.since = clamp(this.since + step, 0, 1000);
  }

  /**
   * Codes the motion of an event. Of the other coordinate: its motion before, and its latest residual, which for y is
   * that of the same event.
   */
  code(model: MixModel, delta: number, facts: StepFacts, otherMotion: number, otherResidual: number): number {
    const sign = this.#sign();
    const motion = clamp(Math.imul(this.motion, sign), -LIMIT, LIMIT);
    const residual = clamp(Math.imul(this.residual, sign), -LIMIT, LIMIT);
    this.#setContexts(model, facts, sign, motion, residual, otherMotion, otherResidual);
    const start = Math.max(0, bucketOf(this.near >> 4) - 2);
    const setA = RESIDUAL_SET + NUMBER_SETS * Math.min(9, start);
    const setB = RESIDUAL_SET + NUMBER_SETS * (10 * this.#axis + Math.min(9, bucketOf(this.#far >> 1)));
    const wanted = Math.imul(delta - this.motion, sign);
    const magnitude = codeMagnitude(model, Math.abs(wanted), start, setA, setB);
    if (magnitude === 0) return this.motion;
    const size = SIZES[Math.min(5, bucketOf(magnitude))] ?? 0;
    const turn = motion === 0 ? 0 : residual === 0 ? 1 : residual < 0 ? 2 : 3;
    const isLess = model.bit(
      wanted < 0 ? 1 : 0,
      SIGN_NODE + size,
      SIGN_SET_A + size,
      SIGN_SET_B + 5 * turn + size,
    );
    return (this.motion + Math.imul(isLess !== 0 ? -magnitude : magnitude, sign)) | 0;
  }

  /** The motion of an event is known, `step` ticks after the one before it. */
  update(delta: number, step: number): void {
    this.#residualBefore = this.residual;
    this.residual = (delta - this.motion) | 0;
    this.#motionBefore = this.motion;
    this.motion = delta;
    const size = 16 * Math.min(2000, Math.abs(this.residual));
    this.near = (3 * this.near + size) >> 2;
    this.#far = (7 * this.#far + size) >> 3;
    this.#track(Math.imul(256, clamp(delta, -8000, 8000)), Math.min(64, step));
    if (delta !== 0) {
      this.gap = this.since;
      this.since = 0;
    }
  }

  #sign(): number {
    const { motion, residual } = this;
    if (motion !== 0) return motion < 0 ? -1 : 1;
    if (residual !== 0) return residual < 0 ? -1 : 1;
    return this.#motionBefore < 0 ? -1 : 1;
  }

  #setContexts(
    model: MixModel,
    facts: StepFacts,
    sign: number,
    motion: number,
    residual: number,
    otherMotion: number,
    otherResidual: number,
  ): void {
    const { code, step, rank, isRest, held } = facts;
    const levelOfMotion = signedLevel(motion);
    const before = Math.imul(this.#motionBefore, sign);
    const residualBefore = clamp(Math.imul(this.#residualBefore, sign), -LIMIT, LIMIT);
    const along = clamp(Math.imul(otherResidual, otherMotion < 0 ? -1 : 1), -LIMIT, LIMIT);
    const overdue = clamp(this.since - this.gap, -12, 12);
    const ahead = this.#offset + Math.imul(this.#speed, Math.min(64, step));
    const beyond = Math.imul(ahead, sign) - Math.imul(256, motion);
    const facts0 = (code << 8) | ((isRest ? 1 : 0) << 7) | (held << 6) | signedBucket(motion);
    const facts1 = (signedLevel(residual) << 10) | (signedLevel(residualBefore) << 5) | levelOfMotion;
    const facts2 =
      (levelOfMotion << 10) | (level(Math.abs(otherMotion)) << 6) | (signedLevel(along) << 1) | this.#axis;
    const facts3 = ((clamp(motion, -40, 40) + 64) << 7) | (clamp(before, -40, 40) + 64);
    const facts4 = ((overdue + 16) << 9) | (levelOfMotion << 4) | level(Math.min(20, this.gap));
    const facts5 = ((clamp(beyond >> 5, -40, 40) + 64) << 2) | rank;
    const contexts = model.contexts;
    contexts[0] = contextOf(CONTEXT.residual, facts0);
    contexts[1] = contextOf(CONTEXT.residual, facts1);
    contexts[2] = contextOf(CONTEXT.residual, facts2);
    contexts[3] = contextOf(CONTEXT.residual, facts3);
    contexts[4] = contextOf(CONTEXT.residual, facts4);
    contexts[5] = contextOf(CONTEXT.residual, facts5);
    model.inputs = 6;
  }

  /** Follows the pointer with some inertia: steady slow motion shows between the pixels. */
  #track(motion: number, step: number): void {
    const ahead = this.#offset + Math.imul(this.#speed, step);
    const error = clamp(motion - ahead, -400_000, 400_000);
    this.#offset = clamp(ahead + ((5 * error) >> 4) - motion, -60_000, 60_000);
    if (step === 0) return;
    this.#speed = clamp(this.#speed + (((error >> 3) / step) | 0), -1_000_000, 1_000_000);
  }
}

/** Classes of magnitudes by bucket. */
const SIZES = [0, 1, 2, 3, 3, 4];
