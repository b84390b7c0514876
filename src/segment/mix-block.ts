import type { EventColumns } from '../core/events.ts';
import { badSegment } from './bad-segment.ts';
import { findClock, MILLISECONDS, type MixClock } from './mix-clock.ts';
import { BitDecoder, BitEncoder } from './mix-coder.ts';
import { MixEvents } from './mix-events.ts';
import { MixModel } from './mix-model.ts';
import { commonestTicks, STEP_PALETTE } from './mix-steps.ts';
import type { MixEvent, MixHead } from './mix-types.ts';
import { wholeTime } from './time-steps.ts';
import { ByteReader, ByteWriter, MAX_INTEGER } from './varint.ts';

/**
 * Predicted decisions that the events of a block may have on average; recordings have 7 to 32. It bounds the time that
 * a file can take.
 */
const DECISIONS_PER_EVENT = 48;
const SPARE_DECISIONS = 4096;
/** The likeliest event has four decisions of 0.0007 bits each: 2,840 go into a byte. */
const EVENTS_PER_BYTE = 4096;
/** Ticks of less than a millisecond would be no clock; longer ones than a second neither. */
const MIN_PERIOD = 2 ** 20;
const MAX_PERIOD = 2 ** 30;

/**
 * The payload of a sealed block in the codec `columns-mix`, or `undefined` when the events are of a kind that would
 * take a reader too long. Times are whole milliseconds; key events take the position the pointer has.
 */
export function encodeMixBlock(columns: EventColumns): Uint8Array | undefined {
  const { count } = columns;
  if (count === 0) return undefined;
  const start = { t: wholeTime(columns, 0), x: columns.x[0] ?? 0, y: columns.y[0] ?? 0 };
  const clock = findClock(columns);
  const head: MixHead = { count, start, clock, palette: commonestTicks(columns, clock) };
  const coder = new BitEncoder();
  const model = new MixModel(coder);
  const events = new MixEvents(model, head);
  const event: MixEvent = { t: 0, kind: 0, x: 0, y: 0, a: 0, b: 0 };
  for (let i = 0; i < count; i++) {
    event.t = wholeTime(columns, i);
    event.kind = columns.kind[i] ?? 0;
    event.x = columns.x[i] ?? 0;
    event.y = columns.y[i] ?? 0;
    event.a = columns.a[i] ?? 0;
    event.b = columns.b[i] ?? 0;
    events.code(event);
  }
  if (model.decisions > decisionLimit(count)) return undefined;
  const out = new ByteWriter(64);
  writeHead(out, head);
  out.append(coder.finish());
  return out.bytes();
}

/** The event count that a payload states, believed only as far as there are bytes for so many. */
export function countMixEvents(payload: Uint8Array): number {
  const reader = new ByteReader(payload);
  const count = reader.uvarint();
  if (count > EVENTS_PER_BYTE * reader.remaining) {
    throw badSegment('a block has another number of events than it says');
  }
  return count;
}

/** Writes the events of a payload into `out`, from its beginning. */
export function decodeMixBlock(payload: Uint8Array, out: EventColumns): void {
  const reader = new ByteReader(payload);
  const head = readHead(reader);
  const coder = new BitDecoder(payload, reader.position);
  const model = new MixModel(coder);
  const events = new MixEvents(model, head);
  const event: MixEvent = { t: 0, kind: 0, x: 0, y: 0, a: 0, b: 0 };
  const limit = decisionLimit(head.count);
  for (let i = 0; i < head.count; i++) {
    events.code(event);
    if (model.decisions > limit) throw badSegment('a block takes too long to decode');
    out.t[i] = event.t;
    out.kind[i] = event.kind;
    out.x[i] = event.x;
    out.y[i] = event.y;
    out.a[i] = event.a;
    out.b[i] = event.b;
  }
  coder.end();
}

function decisionLimit(count: number): number {
  return DECISIONS_PER_EVENT * count + SPARE_DECISIONS;
}

function writeHead(out: ByteWriter, { count, start, clock, palette }: MixHead): void {
  out.uvarint(count);
  out.zigzag(start.t);
  out.zigzag(start.x);
  out.zigzag(start.y);
  out.uvarint(clock.period);
  if (clock.period !== 0) out.uvarint(clock.phase);
  out.u8(palette.length);
  out.append(palette);
}

function readHead(reader: ByteReader): MixHead {
  const count = reader.uvarint();
  const start = { t: reader.zigzag(), x: reader.zigzag(), y: reader.zigzag() };
  if (Math.abs(start.t) > MAX_INTEGER || start.x !== (start.x | 0) || start.y !== (start.y | 0)) {
    throw badSegment('a number is out of range');
  }
  const clock = readClock(reader);
  const size = reader.u8();
  if (size > STEP_PALETTE) throw badSegment('a block has an unknown layout');
  return { count, start, clock, palette: reader.take(size) };
}

function readClock(reader: ByteReader): MixClock {
  const period = reader.uvarint();
  if (period === 0) return MILLISECONDS;
  const phase = reader.uvarint();
  if (period < MIN_PERIOD || period > MAX_PERIOD || phase >= period) {
    throw badSegment('a block has an unknown layout');
  }
  return { period, phase };
}
