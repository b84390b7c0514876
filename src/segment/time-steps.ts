import { type EventColumns, KIND } from '../core/events.ts';
import { badSegment } from './bad-segment.ts';
import { HALF, PALETTE_SIZE } from './layout.ts';
import { allocate, ByteReader, ByteWriter } from './varint.ts';
import { getWide, putWide } from './wide.ts';

/** A step has a place in the palette only from 0 to 255 ms. */
const STEPS = 256;

/**
 * The commonest time steps from one pointer event to the next, commonest first, the smaller first among equals. A
 * device has few: 8 ms on a 125 Hz mouse, 15 and 16 where the clock ticks 64 times a second.
 */
export function commonestSteps(columns: EventColumns, from: number, to: number): Uint8Array {
  const counts = new Array<number>(STEPS).fill(0);
  const found: number[] = [];
  let last = wholeTime(columns, from);
  for (let i = from; i < to; i++) {
    if ((columns.kind[i] ?? 0) >= KIND.keydown) continue;
    const t = wholeTime(columns, i);
    const step = t - last;
    last = t;
    if (step < 0 || step >= STEPS) continue;
    const count = counts[step] ?? 0;
    if (count === 0) found.push(step);
    counts[step] = count + 1;
  }
  found.sort((left, right) => (counts[right] ?? 0) - (counts[left] ?? 0) || left - right);
  const palette = allocate(Math.min(found.length, PALETTE_SIZE));
  for (let i = 0; i < palette.length; i++) palette[i] = found[i] ?? 0;
  return palette;
}

/** Rounds the absolute time, never a difference: rounding errors do not add up. */
export function wholeTime(columns: EventColumns, i: number): number {
  return Math.round(columns.t[i] ?? 0);
}

/** Writes steps as half bytes that index the palette, two a byte; those not in it are wide. */
export class StepWriter {
  readonly halves: ByteWriter;
  readonly wide = new ByteWriter();
  readonly #halfOf = new Array<number>(STEPS).fill(HALF.wideTime);
  #waiting = -1;

  constructor(palette: Uint8Array, capacity: number) {
    this.halves = new ByteWriter(capacity);
    for (let half = 0; half < palette.length; half++) this.#halfOf[palette[half] ?? 0] = half;
  }

  put(step: number, lows: ByteWriter): void {
    const half = step >= 0 && step < STEPS ? (this.#halfOf[step] ?? HALF.wideTime) : HALF.wideTime;
    if (half === HALF.wideTime) putWide(this.wide, lows, step);
    if (this.#waiting < 0) {
      this.#waiting = half;
      return;
    }
    this.halves.u8((this.#waiting << 4) | half);
    this.#waiting = -1;
  }

  /** Writes an odd last half byte, with a low half of 0. */
  end(): void {
    if (this.#waiting >= 0) this.halves.u8(this.#waiting << 4);
    this.#waiting = -1;
  }
}

/** The inverse of {@link StepWriter}. */
export class StepReader {
  readonly #palette: Uint8Array;
  readonly #halves: Uint8Array;
  readonly #wide: ByteReader;
  #at = 0;

  constructor(palette: Uint8Array, halves: Uint8Array, wide: Uint8Array) {
    this.#palette = palette;
    this.#halves = halves;
    this.#wide = new ByteReader(wide);
  }

  next(lows: ByteReader): number {
    const byte = this.#halves[this.#at >> 1];
    if (byte === undefined) throw badSegment('a value is cut short');
    const half = this.#at++ & 1 ? byte & 15 : byte >> 4;
    if (half === HALF.wideTime) return getWide(this.#wide, lows);
    const step = this.#palette[half];
    if (step === undefined) throw badSegment('a time step is not in the palette');
    return step;
  }

  end(): void {
    if ((this.#at + 1) >> 1 !== this.#halves.length) throw badSegment('there are bytes left over');
    this.#wide.end();
  }
}
