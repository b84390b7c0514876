import type { BackendInfo, CaptureConfig, ChildCommand, ChildMessage, Screen } from '../core/capture.ts';
import type { Reason } from '../core/collection.ts';
import { TelemetryError } from '../core/errors.ts';
import type { EventColumns, LossCounts } from '../core/events.ts';
import type { FocusName } from '../core/focus.ts';

/**
 * The pipe between the daemon and its capture child, both ends on one machine and of one version:
 *
 * `u32le payload length | u8 type | payload`
 *
 * A batch is packed columns (see {@link encodeBatch}); every other payload is JSON. The byte order of columns is the
 * machine's own.
 */
/** Frames of both directions; each number is used once. */
const TYPE = {
  config: 1,
  ready: 2,
  batch: 3,
  end: 4,
  failed: 5,
  focus: 6,
  probe: 7,
  alive: 8,
  screens: 9,
  tune: 10,
} as const;

const HEADER_BYTES = 5;
/** No payload is larger: a longer length is a torn or hostile stream, not something to allocate for. */
export const MAX_PAYLOAD_BYTES = 1024 * 1024;
/** Count and padding (8 bytes), then three loss counters (24), so that the columns behind are aligned to 8. */
const BATCH_HEADER_BYTES = 32;
/** `t` 8, `x y a b` 4 each, `kind` 1. */
const BYTES_PER_EVENT = 25;
/** As many events as one batch can hold. */
export const MAX_BATCH_EVENTS = Math.floor((MAX_PAYLOAD_BYTES - BATCH_HEADER_BYTES) / BYTES_PER_EVENT);

/** One frame as it came; `payload` has an `ArrayBuffer` of its own, so that columns can be viewed in place. */
export interface Frame {
  readonly type: number;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** The daemon's first message. */
export function encodeConfig(config: CaptureConfig): Uint8Array {
  return jsonFrame(TYPE.config, config);
}

/** What the daemon says later. */
export function encodeCommand(command: ChildCommand): Uint8Array {
  return command.type === 'probe'
    ? jsonFrame(TYPE.probe, {})
    : jsonFrame(TYPE.tune, { burstMs: command.burstMs, mouseHz: command.mouseHz });
}

/** Any message of the child, as bytes for the pipe. */
export function encodeMessage(message: ChildMessage): Uint8Array {
  switch (message.type) {
    case 'ready':
      return jsonFrame(TYPE.ready, { ...message.info, notes: message.notes });
    case 'batch':
      return encodeBatch(message.columns, message.loss);
    case 'alive':
      return jsonFrame(TYPE.alive, {});
    case 'focus':
      return jsonFrame(TYPE.focus, { focus: message.focus, withheldFromMonoMs: message.withheldFromMonoMs });
    case 'screens':
      return jsonFrame(TYPE.screens, message.screens);
    case 'end':
      return jsonFrame(TYPE.end, {});
    case 'failed':
      return jsonFrame(TYPE.failed, message.reason);
  }
}

/**
 * Batch payload: `u32 count | u32 0 | f64 thinned, redacted, dropped | f64 t[] | i32 x[] | i32 y[] | i32 a[] |
 * i32 b[] | u8 kind[]`. Throws when there are more than {@link MAX_BATCH_EVENTS} events.
 */
function encodeBatch(columns: EventColumns, loss: LossCounts): Uint8Array {
  const { count } = columns;
  if (count > MAX_BATCH_EVENTS) {
    throw new TelemetryError('failed', `A batch holds at most ${MAX_BATCH_EVENTS} events.`, {
      op: 'send batch',
    });
  }
  const frame = newFrame(TYPE.batch, BATCH_HEADER_BYTES + count * BYTES_PER_EVENT);
  const head = new ArrayBuffer(BATCH_HEADER_BYTES);
  new Uint32Array(head, 0, 1)[0] = count;
  new Float64Array(head, 8, 3).set([loss.thinned, loss.redacted, loss.dropped]);
  frame.set(new Uint8Array(head), HEADER_BYTES);
  let offset = HEADER_BYTES + BATCH_HEADER_BYTES;
  for (const column of [columns.t, columns.x, columns.y, columns.a, columns.b, columns.kind]) {
    const sizeBytes = count * column.BYTES_PER_ELEMENT;
    frame.set(new Uint8Array(column.buffer, column.byteOffset, sizeBytes), offset);
    offset += sizeBytes;
  }
  return frame;
}

/** Reads a config frame; throws {@link TelemetryError} when it is anything else. */
export function decodeConfig(frame: Frame): CaptureConfig {
  if (frame.type !== TYPE.config)
    throw badStream(`a frame of type ${frame.type} where the configuration was due`);
  return parseJson(frame.payload) as CaptureConfig;
}

/** Reads a frame of the daemon behind its first; throws {@link TelemetryError} when it makes no sense. */
export function decodeCommand(frame: Frame): ChildCommand {
  if (frame.type === TYPE.probe) return { type: 'probe' };
  if (frame.type !== TYPE.tune) throw badStream(`a frame of type ${frame.type} where a command was due`);
  const { burstMs, mouseHz } = asRecord(parseJson(frame.payload));
  return { type: 'tune', burstMs: asNumber(burstMs), mouseHz: asNumber(mouseHz) };
}

/** Reads a frame of the child; throws {@link TelemetryError} when it makes no sense. */
export function decodeMessage(frame: Frame): ChildMessage {
  switch (frame.type) {
    case TYPE.ready:
      return decodeReady(parseJson(frame.payload));
    case TYPE.batch:
      return decodeBatch(frame.payload);
    case TYPE.alive:
      return { type: 'alive' };
    case TYPE.focus:
      return asFocus(parseJson(frame.payload));
    case TYPE.screens:
      return { type: 'screens', screens: asScreens(parseJson(frame.payload)) };
    case TYPE.end:
      return { type: 'end' };
    case TYPE.failed:
      return { type: 'failed', reason: asReason(parseJson(frame.payload)) };
    default:
      throw badStream(`a frame of the unknown type ${frame.type}`);
  }
}

function decodeBatch(payload: Uint8Array<ArrayBuffer>): ChildMessage {
  if (payload.length < BATCH_HEADER_BYTES) throw badStream('a batch that is too short');
  const { buffer } = payload;
  const count = new Uint32Array(buffer, 0, 1)[0] ?? 0;
  if (payload.length !== BATCH_HEADER_BYTES + count * BYTES_PER_EVENT) {
    throw badStream('a batch whose length does not match its number of events');
  }
  const [thinned = 0, redacted = 0, dropped = 0] = new Float64Array(buffer, 8, 3);
  const ints = BATCH_HEADER_BYTES + 8 * count;
  const columns: EventColumns = {
    count,
    t: new Float64Array(buffer, BATCH_HEADER_BYTES, count),
    x: new Int32Array(buffer, ints, count),
    y: new Int32Array(buffer, ints + 4 * count, count),
    a: new Int32Array(buffer, ints + 8 * count, count),
    b: new Int32Array(buffer, ints + 12 * count, count),
    kind: new Uint8Array(buffer, ints + 16 * count, count),
  };
  return { type: 'batch', columns, loss: { thinned, redacted, dropped } };
}

/**
 * Cuts a stream of bytes into frames, however it was chopped. Holds at most one frame; each byte is copied once.
 * After an error the stream is lost: the decoder must be thrown away.
 */
export class FrameDecoder {
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerFilled = 0;
  #payload: Uint8Array<ArrayBuffer> | null = null;
  #payloadFilled = 0;

  /** The frames that `chunk` completes. Throws {@link TelemetryError} on a length beyond the limit. */
  push(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#payload === null) {
        const part = chunk.subarray(offset, offset + HEADER_BYTES - this.#headerFilled);
        this.#header.set(part, this.#headerFilled);
        this.#headerFilled += part.length;
        offset += part.length;
        if (this.#headerFilled < HEADER_BYTES) break;
        this.#payload = new Uint8Array(this.#payloadBytes());
        this.#payloadFilled = 0;
      }
      const part = chunk.subarray(offset, offset + this.#payload.length - this.#payloadFilled);
      this.#payload.set(part, this.#payloadFilled);
      this.#payloadFilled += part.length;
      offset += part.length;
      if (this.#payloadFilled < this.#payload.length) break;
      frames.push({ type: this.#header[4] ?? 0, payload: this.#payload });
      this.#payload = null;
      this.#headerFilled = 0;
    }
    return frames;
  }

  #payloadBytes(): number {
    const sizeBytes = new DataView(this.#header.buffer).getUint32(0, true);
    if (sizeBytes > MAX_PAYLOAD_BYTES) throw badStream(`a frame of ${sizeBytes} bytes, over the limit`);
    return sizeBytes;
  }
}

function jsonFrame(type: number, value: object): Uint8Array {
  const payload = new TextEncoder().encode(JSON.stringify(value));
  const frame = newFrame(type, payload.length);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

function newFrame(type: number, payloadBytes: number): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + payloadBytes);
  new DataView(frame.buffer).setUint32(0, payloadBytes, true);
  frame[4] = type;
  return frame;
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch (cause) {
    throw badStream('a message that is not JSON', cause);
  }
}

const BACKENDS = ['x11', 'uiohook', 'evdev', 'replay'] as const satisfies BackendInfo['backend'][];

function decodeReady(value: unknown): ChildMessage {
  const { notes } = asRecord(value);
  if (!Array.isArray(notes)) throw badStream('a back end without its notes');
  return { type: 'ready', info: asBackendInfo(value), notes: notes.map(asReason) };
}

function asBackendInfo(value: unknown): BackendInfo {
  const { backend, coordinates, screens, why } = asRecord(value);
  const known = BACKENDS.find((name) => name === backend);
  if (known === undefined || typeof why !== 'string')
    throw badStream('a back end that does not say what it is');
  return {
    backend: known,
    coordinates: coordinates === 'relative' ? 'relative' : 'absolute',
    screens: asScreens(screens),
    why,
  };
}

function asScreens(value: unknown): Screen[] {
  if (!Array.isArray(value)) throw badStream('screens that are no list');
  return value.map(asScreen);
}

function asScreen(value: unknown): Screen {
  const { x, y, width, height, scale } = asRecord(value);
  return {
    x: asNumber(x),
    y: asNumber(y),
    width: asNumber(width),
    height: asNumber(height),
    scale: asNumber(scale),
  };
}

const FOCUS_NAMES = ['known', 'unknown', 'excluded'] as const satisfies FocusName[];

function asFocus(value: unknown): ChildMessage {
  const { focus, withheldFromMonoMs } = asRecord(value);
  const known = FOCUS_NAMES.find((name) => name === focus);
  if (known === undefined || !(withheldFromMonoMs === null || typeof withheldFromMonoMs === 'number'))
    throw badStream('a change of focus that does not say which');
  return { type: 'focus', focus: known, withheldFromMonoMs };
}

function asReason(value: unknown): Reason {
  const { code, text, hint } = asRecord(value);
  if (typeof code !== 'string' || typeof text !== 'string' || typeof hint !== 'string') {
    throw badStream('a reason without its words');
  }
  return { code, text, hint };
}

function asRecord(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw badStream('a message that is not an object');
  return value as Record<string, unknown>;
}

function asNumber(value: unknown): number {
  if (typeof value !== 'number') throw badStream('something else where a number was due');
  return value;
}

function badStream(what: string, cause?: unknown): TelemetryError {
  return new TelemetryError('failed', `The capture process and the daemon lost step: ${what}.`, {
    op: 'read the capture pipe',
    hint: 'restart the daemon; if it happens again, reinstall so that both are of one version',
    cause,
  });
}
