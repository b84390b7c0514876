import { KIND } from '../core/events.ts';
import { badSegment } from './bad-segment.ts';
import { REST_MS } from './layout.ts';
import { MixAxis, type StepFacts } from './mix-axis.ts';
import { CLOCK_UNIT, type MixClock, tickOfTime, timeOfTick } from './mix-clock.ts';
import { CONTEXT, clamp, contextOf, level } from './mix-contexts.ts';
import { MixDetails } from './mix-details.ts';
import type { MixModel } from './mix-model.ts';
import { codeSigned, NUMBER_SETS } from './mix-numbers.ts';
import { MixSteps } from './mix-steps.ts';
import type { MixEvent, MixHead } from './mix-types.ts';
import { MAX_INTEGER } from './varint.ts';

/** The class of an event is its kind, but for moves that carry details, which no source makes. */
const ODD_MOVE = 6;
const PLAIN_MOVE = 0;

const ERROR_NODE = 401;
const ERROR_SET = 49;
const ERROR_SIGN_SET = 50;
const ERROR_NUMBER_SET = 81;
const MOVED_NODE = 402;
const MOVED_SET = 51;
const ROUND_NODE = 403;
const ROUND_SET = 116;
const KEY_SIGN_SET = 118;
const KEY_NUMBER_SET = 120;
/** Masked keys have their time rounded down to this. */
const ROUND_MS = 100;

/** Codes events one after the other, the same steps when encoding and decoding. */
export class MixEvents {
  readonly #model: MixModel;
  readonly #start: MixHead['start'];
  readonly #clock: MixClock;
  readonly #restTicks: number;
  readonly #steps: MixSteps;
  readonly #details = new MixDetails();
  readonly #motionX = new MixAxis(0);
  readonly #motionY = new MixAxis(1);
  readonly #facts: StepFacts = { code: 0, step: 0, rank: 0, isRest: false, held: 0 };
  #x: number;
  #y: number;
  #time: number;
  #tick = 0;
  /** Classes of the last three events, the latest first. */
  #code1 = PLAIN_MOVE;
  #code2 = PLAIN_MOVE;
  #code3 = PLAIN_MOVE;
  #held = 0;
  /** Whether the last time was off its tick: 0 no, 1 before, 2 after. */
  #off = 0;
  #wasRound = 0;

  constructor(model: MixModel, { start, clock, palette }: MixHead) {
    this.#model = model;
    this.#start = start;
    this.#clock = clock;
    this.#steps = new MixSteps(palette);
    this.#restTicks = clock.period === 0 ? REST_MS : Math.floor((REST_MS * CLOCK_UNIT) / clock.period);
    this.#x = start.x;
    this.#y = start.y;
    this.#time = start.t;
  }

  code(event: MixEvent): void {
    const isOdd = event.kind === KIND.move && (event.a !== 0 || event.b !== 0);
    const code = this.#codeClass(isOdd ? ODD_MOVE : event.kind);
    event.kind = code === ODD_MOVE ? KIND.move : code;
    if (event.kind >= KIND.keydown) this.#codeKey(event, code);
    else this.#codePointer(event, code);
    if (!(Math.abs(event.t) <= MAX_INTEGER)) throw badSegment('a time is out of range');
    event.x = this.#x;
    event.y = this.#y;
    this.#time = event.t;
    this.#code3 = this.#code2;
    this.#code2 = this.#code1;
    this.#code1 = code;
  }

  #codeClass(code: number): number {
    const model = this.#model;
    const contexts = model.contexts;
    const held = this.#held;
    const speed = Math.abs(this.#motionX.motion) + Math.abs(this.#motionY.motion);
    const last = level(this.#steps.last);
    const latest = this.#code1 << 12;
    contexts[0] = contextOf(CONTEXT.kind, latest | (this.#code2 << 3) | this.#code3);
    contexts[1] = contextOf(CONTEXT.kind, latest | (held << 5) | (last << 1) | (speed === 0 ? 1 : 0));
    contexts[2] = contextOf(CONTEXT.kind, latest | level(speed));
    contexts[3] = contextOf(
      CONTEXT.kind,
      latest | (this.#code2 << 8) | (last << 4) | level(this.#steps.second),
    );
    model.inputs = 4;
    if (ask(model, 0, code === PLAIN_MOVE, 8 + 2 * this.#code1 + held)) return PLAIN_MOVE;
    if (ask(model, 1, code === KIND.down || code === KIND.up))
      return ask(model, 4, code === KIND.up) ? KIND.up : KIND.down;
    if (ask(model, 2, code === KIND.keydown || code === KIND.keyup))
      return ask(model, 5, code === KIND.keyup) ? KIND.keyup : KIND.keydown;
    return ask(model, 3, code === KIND.wheel) ? KIND.wheel : ODD_MOVE;
  }

  #codePointer(event: MixEvent, code: number): void {
    const model = this.#model;
    const motionX = this.#motionX;
    const motionY = this.#motionY;
    const step = this.#codeTime(event, code);
    const givenX = (event.x - this.#x) | 0;
    const givenY = (event.y - this.#y) | 0;
    const isMoved = code === PLAIN_MOVE || this.#codeIsMoved(code, givenX !== 0 || givenY !== 0);
    if (code === PLAIN_MOVE) event.a = event.b = 0;
    else this.#details.code(model, event, code, this.#code1);
    if (code === KIND.down) this.#held = 1;
    if (code === KIND.up) this.#held = 0;
    const short = clamp(step, 0, 1023);
    motionX.pass(short);
    motionY.pass(short);
    if (isMoved) {
      const facts = this.#facts;
      facts.code = code;
      facts.step = short;
      facts.rank = Math.min(3, this.#steps.rank);
      facts.isRest = step > this.#restTicks;
      facts.held = this.#held;
      if (facts.isRest) {
        motionX.rest();
        motionY.rest();
      }
      const before = motionX.motion;
      const x = motionX.code(model, givenX, facts, motionY.motion, motionY.residual);
      const y = motionY.code(model, givenY, facts, before, (x - before) | 0);
      motionX.update(x, short);
      motionY.update(y, short);
      this.#x = (this.#x + x) | 0;
      this.#y = (this.#y + y) | 0;
    }
    this.#steps.push(short);
  }

  /** The time of a pointer event; returns the ticks since the one before. */
  #codeTime(event: MixEvent, code: number): number {
    const model = this.#model;
    const clock = this.#clock;
    const from = this.#start.t;
    const wanted = tickOfTime(clock, event.t - from) - this.#tick;
    const step = this.#steps.code(model, wanted, code, this.#code1, this.#motionX, this.#motionY);
    this.#tick += step;
    const seen = from + timeOfTick(clock, this.#tick);
    if (clock.period === 0) {
      event.t = seen;
      return step;
    }
    model.contexts[0] = contextOf(CONTEXT.error, this.#off);
    model.inputs = 1;
    const error = event.t - seen;
    let coded = 0;
    if (model.bit(error !== 0 ? 1 : 0, ERROR_NODE, ERROR_SET, ERROR_SET) !== 0) {
      coded = codeSigned(model, error, 1, ERROR_SIGN_SET, ERROR_NUMBER_SET);
    }
    this.#off = coded === 0 ? 0 : coded < 0 ? 1 : 2;
    event.t = seen + coded;
    return step;
  }

  #codeIsMoved(code: number, isMoved: boolean): boolean {
    const model = this.#model;
    const contexts = model.contexts;
    contexts[0] = contextOf(CONTEXT.isMoved, (code << 3) | this.#code1);
    contexts[1] = contextOf(CONTEXT.isMoved, (code << 1) | this.#held);
    model.inputs = 2;
    return model.bit(isMoved ? 1 : 0, MOVED_NODE, MOVED_SET, MOVED_SET) !== 0;
  }

  /** The time of a key event, from the event before it, in milliseconds or in hundreds of them; then the key. */
  #codeKey(event: MixEvent, code: number): void {
    const model = this.#model;
    const contexts = model.contexts;
    contexts[0] = contextOf(CONTEXT.keyTime, this.#code1);
    contexts[1] = contextOf(CONTEXT.keyTime, (this.#code1 << 6) | (this.#code2 << 3) | code);
    contexts[2] = contextOf(CONTEXT.keyTime, code);
    model.inputs = 3;
    const round = this.#wasRound;
    const wanted = event.t % ROUND_MS === 0 ? 1 : 0;
    const isRound = model.bit(wanted, ROUND_NODE, ROUND_SET + round, ROUND_SET + round);
    this.#wasRound = isRound;
    const unit = isRound !== 0 ? ROUND_MS : 1;
    const from = Math.floor(this.#time / unit);
    const steps = codeSigned(
      model,
      event.t / unit - from,
      isRound !== 0 ? 1 : 5,
      KEY_SIGN_SET + isRound,
      KEY_NUMBER_SET + NUMBER_SETS * isRound,
    );
    event.t = unit * (from + steps);
    this.#details.code(model, event, code, this.#code1);
  }
}

/** One decision of an event's class. */
function ask(model: MixModel, node: number, answer: boolean, setB = node): boolean {
  return model.bit(answer ? 1 : 0, node, node, setB) !== 0;
}
