import { TelemetryError } from '../core/errors.ts';
import { BUTTON, type EventColumns, KIND } from '../core/events.ts';
import { CODE, HALF, PAIRING, REPEAT_BIT, REST_MS, STREAMS, type StreamName } from './layout.ts';
import { commonestSteps, StepWriter, wholeTime } from './time-steps.ts';
import { allocate, ByteWriter, MAX_INTEGER } from './varint.ts';
import { putWide } from './wide.ts';

type Pairing = (typeof PAIRING)[keyof typeof PAIRING];

/** Events as half bytes and streams, before the half bytes are paired. */
interface Packed {
  readonly count: number;
  readonly start: { readonly t: number; readonly x: number; readonly y: number };
  readonly palette: Uint8Array;
  readonly halfX: Uint8Array;
  readonly halfY: Uint8Array;
  readonly streams: Readonly<Record<Exclude<StreamName, 'steps'>, ByteWriter>>;
  readonly steps: StepWriter;
}

/** The bytes of events `from` up to, not including, `to`, with the half bytes of an event together. */
export function encodeColumns(columns: EventColumns, from: number, to: number): Uint8Array {
  return join(pack(columns, from, to), PAIRING.together);
}

/**
 * The bytes of all events in the pairings worth compressing, one or two, for a caller that keeps the smaller result.
 * Repeated sequences make the difference and only brotli finds them; but the plain entropy of the half bytes shows when
 * it is not worth the CPU (on all recordings measured: at most 0.1 % lost).
 */
export function encodeCandidates(columns: EventColumns): readonly [Uint8Array, ...Uint8Array[]] {
  const packed = pack(columns, 0, columns.count);
  const first = join(packed, PAIRING.together);
  const alongBytes = entropyBytes(along(packed));
  if (alongBytes > WORTH_TRYING * entropyBytes(together(packed))) return [first];
  return [first, join(packed, PAIRING.along)];
}

const WORTH_TRYING = 0.98;

/** Bytes that an ideal code without memory would need. */
function entropyBytes(bytes: Uint8Array): number {
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
  let bits = 0;
  for (const count of counts) if (count > 0) bits += count * Math.log2(bytes.length / count);
  return bits / 8;
}

function pack(columns: EventColumns, from: number, to: number): Packed {
  const count = to - from;
  const palette = commonestSteps(columns, from, to);
  const steps = new StepWriter(palette, 1 + (count >> 1));
  const packed: Packed = {
    count,
    start:
      count > 0 ? { t: wholeTime(columns, from), x: columns.x[from] ?? 0, y: columns.y[from] ?? 0 } : NOTHING,
    palette,
    halfX: allocate(count),
    halfY: allocate(count),
    steps,
    streams: {
      times: steps.halves,
      wideTimes: steps.wide,
      x: new ByteWriter(),
      y: new ByteWriter(),
      keyTimes: new ByteWriter(),
      details: new ByteWriter(),
      lows: new ByteWriter(),
    },
  };
  packEvents(columns, from, packed);
  steps.end();
  return packed;
}

const NOTHING = { t: 0, x: 0, y: 0 };

function packEvents(columns: EventColumns, from: number, packed: Packed): void {
  const { halfX, halfY, steps, streams } = packed;
  const { details, lows } = streams;
  let { x, y } = packed.start;
  let lastTime = packed.start.t;
  let keyTime = packed.start.t;
  let stepX = 0;
  let stepY = 0;
  let keyA = 0;
  let keyB = 0;
  for (let i = 0; i < packed.count; i++) {
    const kind = columns.kind[from + i] ?? 0;
    const t = wholeTime(columns, from + i);
    if (!(Math.abs(t) <= MAX_INTEGER) || kind > KIND.keyup) {
      throw new TelemetryError('failed', 'An event has an impossible time or kind.', { op: 'encode block' });
    }
    const a = columns.a[from + i] ?? 0;
    const b = columns.b[from + i] ?? 0;
    if (kind >= KIND.keydown) {
      const code = keyCode(kind, a, b, keyA, keyB);
      halfX[i] = HALF.other;
      halfY[i] = code;
      putWide(streams.keyTimes, lows, t - keyTime);
      keyTime = t;
      if (code === CODE.keydown || code === CODE.keyup) {
        details.zigzag(a);
        details.zigzag(b);
      }
      if (code === CODE.keydown) {
        keyA = a;
        keyB = b;
      }
      continue;
    }
    steps.put(t - lastTime, lows);
    if (t - lastTime > REST_MS) stepX = stepY = 0;
    lastTime = t;
    const dx = (columns.x[from + i] ?? 0) - x;
    const dy = (columns.y[from + i] ?? 0) - y;
    const foldedX = fold(dx - stepX);
    const foldedY = fold(dy - stepY);
    if (kind === KIND.move && a === 0 && b === 0) {
      halfX[i] = putHalf(streams.x, lows, foldedX);
      halfY[i] = putHalf(streams.y, lows, foldedY);
    } else {
      const isMoved = kind === KIND.move || dx !== 0 || dy !== 0;
      const code = pointerCode(kind, a, b, isMoved);
      halfX[i] = HALF.other;
      halfY[i] = code;
      if (code === CODE.pointer || code === CODE.pointerMoved) {
        details.u8(kind);
        details.zigzag(a);
        details.zigzag(b);
      }
      if (!isMoved) continue;
      putWide(streams.x, lows, foldedX);
      putWide(streams.y, lows, foldedY);
    }
    x += dx;
    y += dy;
    stepX = dx;
    stepY = dy;
  }
}

function keyCode(kind: number, a: number, b: number, keyA: number, keyB: number): number {
  const isDown = kind === KIND.keydown;
  if (a === 0 && b === 0) return isDown ? CODE.maskedDown : CODE.maskedUp;
  if (a === keyA && !isDown && b === keyB) return CODE.sameUp;
  if (a === keyA && isDown && b === (keyB | REPEAT_BIT)) return CODE.sameRepeat;
  return isDown ? CODE.keydown : CODE.keyup;
}

function pointerCode(kind: number, a: number, b: number, isMoved: boolean): number {
  if ((kind === KIND.down || kind === KIND.up) && a === BUTTON.left && b === 0) {
    if (kind === KIND.down) return isMoved ? CODE.leftDownMoved : CODE.leftDown;
    return isMoved ? CODE.leftUpMoved : CODE.leftUp;
  }
  if (isMoved) return CODE.pointerMoved;
  if (kind === KIND.wheel && a === 0 && (b === 1 || b === -1)) return b > 0 ? CODE.wheelDown : CODE.wheelUp;
  return CODE.pointer;
}

/** Zigzag in doubles: differences of differences of 32-bit numbers need 34 bits. */
function fold(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function putHalf(wide: ByteWriter, lows: ByteWriter, folded: number): number {
  if (folded < HALF.escape) return folded;
  putWide(wide, lows, folded - HALF.escape);
  return HALF.escape;
}

function join(packed: Packed, pairing: Pairing): Uint8Array {
  const { count, start, palette, streams } = packed;
  const steps = pairing === PAIRING.together ? together(packed) : along(packed);
  const out = new ByteWriter(64 + 2 * count);
  out.u8(pairing);
  out.uvarint(count);
  out.zigzag(start.t);
  out.zigzag(start.x);
  out.zigzag(start.y);
  out.u8(palette.length);
  out.append(palette);
  for (const name of STREAMS) {
    if (name === 'steps') {
      out.uvarint(steps.length);
      out.append(steps);
    } else {
      out.uvarint(streams[name].length);
      out.appendFrom(streams[name]);
    }
  }
  return out.bytes();
}

function together({ count, halfX, halfY }: Packed): Uint8Array {
  const steps = allocate(count);
  for (let i = 0; i < count; i++) steps[i] = ((halfX[i] ?? 0) << 4) | (halfY[i] ?? 0);
  return steps;
}

/** All of x, two events a byte, then all of y; an odd one out has a low half of 0. */
function along({ count, halfX, halfY }: Packed): Uint8Array {
  const half = (count + 1) >> 1;
  const steps = new Uint8Array(2 * half);
  for (let i = 0; i < half; i++) {
    steps[i] = ((halfX[2 * i] ?? 0) << 4) | (halfX[2 * i + 1] ?? 0);
    steps[half + i] = ((halfY[2 * i] ?? 0) << 4) | (halfY[2 * i + 1] ?? 0);
  }
  return steps;
}
