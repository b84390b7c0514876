import { type EventColumns, KIND } from '../core/events.ts';
import { badSegment } from './bad-segment.ts';
import { wholeTime } from './time-steps.ts';

/**
 * The clock that stamped the pointer events. Some tick so rarely that times are a multiple of their period and nothing
 * else; then an event needs the number of ticks only.
 */
export interface MixClock {
  /** Length of a tick in 2^-20 ms; 0: a tick is a millisecond. */
  readonly period: number;
  /** From the first event to the tick of number 0, in 2^-20 ms. */
  readonly phase: number;
}

export const CLOCK_UNIT = 2 ** 20;
export const MILLISECONDS: MixClock = { period: 0, phase: 0 };

/** Milliseconds after the first event at which a tick is seen: rounded down. */
export function timeOfTick({ period, phase }: MixClock, tick: number): number {
  if (period === 0) return tick;
  const time = tick * period + phase;
  if (!Number.isSafeInteger(time)) throw badSegment('a time is out of range');
  return Math.floor(time / CLOCK_UNIT);
}

/** The first tick at or after a time, milliseconds after the first event. */
export function tickOfTime({ period, phase }: MixClock, time: number): number {
  // Adding zero turns -0 into 0, for which the code that uses it would be compiled anew each time.
  return period === 0 ? time : Math.ceil((time * CLOCK_UNIT - phase) / period) + 0;
}

/** Of a clock that ticks 64 times a second: 15.6001 ms, as Windows has it, and 15.625 ms. */
const PERIODS = [16_357_890, 16_384_000];
/** Products with the unit stay exact: 99 days. */
const LONGEST_MS = 2 ** 32;
const FEWEST = 64;
const BINS = 64;
/** The bins that a window of one millisecond touches. */
const WINDOW = 5;
const SHARE = 0.95;
/** Some times are off in most recordings. */
const PHASE_QUANTILE = 0.998;

/** The clock of which nearly all times of pointer events are ticks, else milliseconds. */
export function findClock(columns: EventColumns): MixClock {
  const offsets = pointerOffsets(columns);
  if (offsets.length < FEWEST) return MILLISECONDS;
  for (const period of PERIODS) {
    const phase = findPhase(offsets, period);
    if (phase !== undefined) return { period, phase };
  }
  return MILLISECONDS;
}

/** Of pointer events, from the first event on, in 2^-20 ms; none where one is out of bounds. */
function pointerOffsets(columns: EventColumns): Float64Array {
  const offsets = new Float64Array(columns.count);
  const start = wholeTime(columns, 0);
  let count = 0;
  for (let i = 0; i < columns.count; i++) {
    if ((columns.kind[i] ?? 0) >= KIND.keydown) continue;
    const offset = wholeTime(columns, i) - start;
    if (offset < 0 || offset > LONGEST_MS) return new Float64Array();
    offsets[count++] = offset * CLOCK_UNIT;
  }
  return offsets.subarray(0, count);
}

/** Times are rounded down by less than a millisecond, so all lie within one before the tick. */
function findPhase(offsets: Float64Array, period: number): number | undefined {
  const bins = new Uint32Array(BINS);
  for (const offset of offsets) {
    const bin = Math.floor((rest(offset, period) * BINS) / period);
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  let most = 0;
  let first = 0;
  for (let bin = 0; bin < BINS; bin++) {
    let sum = 0;
    for (let i = 0; i < WINDOW; i++) sum += bins[(bin + i) % BINS] ?? 0;
    if (sum <= most) continue;
    most = sum;
    first = bin;
  }
  if (most < SHARE * offsets.length) return undefined;
  const from = Math.floor((first * period) / BINS);
  const within = offsets
    .map((offset) => rest(offset + period - from, period))
    .filter((after) => after * BINS < WINDOW * period)
    .sort();
  return (from + (within[Math.floor(within.length * PHASE_QUANTILE)] ?? 0)) % period;
}

/** The remainder of whole numbers; many times faster than the operator where the quotient is large. */
function rest(dividend: number, divisor: number): number {
  const left = dividend - Math.floor(dividend / divisor) * divisor;
  return left < 0 ? left + divisor : left >= divisor ? left - divisor : left;
}
