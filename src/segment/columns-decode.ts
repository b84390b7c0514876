import { BUTTON, type EventColumns, KIND } from '../core/events.ts';
import { badSegment } from './bad-segment.ts';
import { CODE, HALF, PAIRING, PALETTE_SIZE, REPEAT_BIT, REST_MS, type StreamName } from './layout.ts';
import { readTime } from './marks.ts';
import { StepReader } from './time-steps.ts';
import { ByteReader, MAX_INTEGER } from './varint.ts';
import { getWide } from './wide.ts';

/** A block taken apart, its lengths checked, its events not yet made. */
export interface Block {
  readonly pairing: number;
  readonly count: number;
  readonly start: { readonly t: number; readonly x: number; readonly y: number };
  readonly palette: Uint8Array;
  readonly streams: Readonly<Record<StreamName, Uint8Array>>;
}

/** The event count that a block states, believed only as far as there are bytes for so many: at least one each. */
export function countEvents(body: Uint8Array): number {
  const reader = new ByteReader(body);
  pairingOf(reader);
  return reader.length();
}

/** Takes a block's bytes apart. The count must be that of its half bytes. */
export function parseBlock(body: Uint8Array): Block {
  const reader = new ByteReader(body);
  const pairing = pairingOf(reader);
  const count = reader.length();
  const start = { t: readTime(reader), x: int32(reader.zigzag()), y: int32(reader.zigzag()) };
  const paletteSize = reader.u8();
  if (paletteSize > PALETTE_SIZE) throw badSegment('a block has an unknown layout');
  const palette = reader.take(paletteSize);
  const stream = (): Uint8Array => reader.take(reader.length());
  const streams = {
    steps: stream(),
    times: stream(),
    wideTimes: stream(),
    x: stream(),
    y: stream(),
    keyTimes: stream(),
    details: stream(),
    lows: stream(),
  } satisfies Record<StreamName, Uint8Array>;
  reader.end();
  const expected = pairing === PAIRING.together ? count : 2 * Math.ceil(count / 2);
  if (streams.steps.length !== expected)
    throw badSegment('a block has another number of events than it says');
  return { pairing, count, start, palette, streams };
}

function pairingOf(reader: ByteReader): number {
  const pairing = reader.u8();
  if (pairing !== PAIRING.together && pairing !== PAIRING.along)
    throw badSegment('a block has an unknown layout');
  return pairing;
}

/**
 * Writes the block's events into `out` from index `at`. Key events take the position the pointer has; those before the
 * block's first pointer event take `carried` where it is given (the position at the end of the block before).
 */
export function decodeColumns(
  block: Block,
  out: EventColumns,
  at: number,
  carried: { readonly x: number; readonly y: number } = block.start,
): void {
  const { count, pairing, start, streams } = block;
  const steps = streams.steps;
  const half = (count + 1) >> 1;
  const times = new StepReader(block.palette, streams.times, streams.wideTimes);
  const lows = new ByteReader(streams.lows);
  const wideX = new ByteReader(streams.x);
  const wideY = new ByteReader(streams.y);
  const keyTimes = new ByteReader(streams.keyTimes);
  const details = new ByteReader(streams.details);
  let { x, y } = start;
  let shownX = carried.x;
  let shownY = carried.y;
  let pointerTime = start.t;
  let keyTime = start.t;
  let stepX = 0;
  let stepY = 0;
  let keyA = 0;
  let keyB = 0;
  for (let i = 0; i < count; i++) {
    let halfX: number;
    let halfY: number;
    if (pairing === PAIRING.together) {
      const byte = steps[i] ?? 0;
      halfX = byte >> 4;
      halfY = byte & 15;
    } else {
      const shift = i & 1 ? 0 : 4;
      halfX = ((steps[i >> 1] ?? 0) >> shift) & 15;
      halfY = ((steps[half + (i >> 1)] ?? 0) >> shift) & 15;
    }
    const index = at + i;
    const isOther = halfX === HALF.other;
    const kind = isOther ? kindOf(halfY, details) : KIND.move;
    let a = 0;
    let b = 0;
    if (kind >= KIND.keydown) {
      keyTime = time(keyTime + getWide(keyTimes, lows));
      if (halfY === CODE.keydown || halfY === CODE.keyup) {
        a = int32(details.zigzag());
        b = int32(details.zigzag());
      } else if (halfY === CODE.sameUp || halfY === CODE.sameRepeat) {
        a = keyA;
        b = halfY === CODE.sameUp ? keyB : keyB | REPEAT_BIT;
      }
      if (halfY === CODE.keydown) {
        keyA = a;
        keyB = b;
      }
      out.t[index] = keyTime;
    } else {
      const step = times.next(lows);
      if (step > REST_MS) stepX = stepY = 0;
      pointerTime = time(pointerTime + step);
      let isMoved = true;
      if (isOther) {
        isMoved = halfY >= CODE.leftDownMoved;
        if (halfY === CODE.pointer || halfY === CODE.pointerMoved) {
          a = int32(details.zigzag());
          b = int32(details.zigzag());
        } else if (kind === KIND.wheel) b = halfY === CODE.wheelDown ? 1 : -1;
        else a = BUTTON.left;
      }
      if (isMoved) {
        stepX += unfold(isOther ? getWide(wideX, lows) : getHalf(halfX, wideX, lows));
        stepY += unfold(isOther ? getWide(wideY, lows) : getHalf(halfY, wideY, lows));
        x = int32(x + stepX);
        y = int32(y + stepY);
      }
      shownX = x;
      shownY = y;
      out.t[index] = pointerTime;
    }
    out.kind[index] = kind;
    out.x[index] = shownX;
    out.y[index] = shownY;
    out.a[index] = a;
    out.b[index] = b;
  }
  times.end();
  for (const reader of [lows, wideX, wideY, keyTimes, details]) reader.end();
}

/** The kind of what is not a plain move, by code; codes 6 and 9 have it in `details`. */
function kindOf(code: number, details: ByteReader): number {
  if (code === CODE.pointer || code === CODE.pointerMoved) {
    const kind = details.u8();
    if (kind > KIND.wheel) throw badSegment('an event has an unknown kind');
    return kind;
  }
  const kind = KIND_OF_CODE[code];
  if (kind === undefined) throw badSegment('an event has an unknown kind');
  return kind;
}

const KIND_OF_CODE: Readonly<Record<number, number>> = {
  [CODE.leftDown]: KIND.down,
  [CODE.leftUp]: KIND.up,
  [CODE.wheelDown]: KIND.wheel,
  [CODE.wheelUp]: KIND.wheel,
  [CODE.keydown]: KIND.keydown,
  [CODE.keyup]: KIND.keyup,
  [CODE.leftDownMoved]: KIND.down,
  [CODE.leftUpMoved]: KIND.up,
  [CODE.maskedDown]: KIND.keydown,
  [CODE.maskedUp]: KIND.keyup,
  [CODE.sameUp]: KIND.keyup,
  [CODE.sameRepeat]: KIND.keydown,
};

function getHalf(half: number, wide: ByteReader, lows: ByteReader): number {
  return half < HALF.escape ? half : HALF.escape + getWide(wide, lows);
}

function unfold(folded: number): number {
  return folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
}

function time(value: number): number {
  if (value > MAX_INTEGER || value < -MAX_INTEGER) throw badSegment('a time is out of range');
  return value;
}

function int32(value: number): number {
  if (value !== (value | 0)) throw badSegment('a number is out of range');
  return value;
}
