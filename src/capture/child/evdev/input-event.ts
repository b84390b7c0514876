/** `struct input_event` of `linux/input.h` on 64-bit machines: seconds, microseconds, type, code, value. */
const EVENT_BYTES = 24;
/** Room for so many events: the kernel's ring of a device holds at least 64. */
const BUFFER_EVENTS = 256;

/** Event types and the codes that are read, of `linux/input-event-codes.h`. */
export const EV = { syn: 0, key: 1, rel: 2, abs: 3 } as const;
export const SYN = { report: 0, dropped: 3 } as const;
export const REL = { x: 0, y: 1, hwheel: 6, wheel: 8, wheelHiRes: 11, hwheelHiRes: 12 } as const;
export const ABS = { x: 0, y: 1 } as const;
export const BTN = {
  /** `BTN_LEFT`, the first of a mouse's eight. */
  mouse: 0x110,
  mouseEnd: 0x118,
  toolPen: 0x140,
  toolFinger: 0x145,
  toolQuintTap: 0x148,
  touch: 0x14a,
  toolDoubleTap: 0x14d,
  toolQuadTap: 0x14f,
} as const;
/** `INPUT_PROP_DIRECT`: one touches the picture itself. */
export const PROP_DIRECT = 1;

/** Values of a key event. */
export const KEY_UP = 0;
export const KEY_REPEAT = 2;

/** Takes one event; the time in milliseconds of the device's clock. */
export type TakeEvent = (tMs: number, type: number, code: number, value: number) => void;

/** Cuts what a device's file gives into events, however the bytes were chopped, without copying them. */
export class EventReader {
  /** Bytes are read into this, from {@link offset} on. */
  readonly buffer = new Uint8Array(EVENT_BYTES * BUFFER_EVENTS);
  readonly #view = new DataView(this.buffer.buffer);
  readonly #take: TakeEvent;
  /** Bytes of a torn event, which stand at the start of the buffer. */
  #torn = 0;

  constructor(take: TakeEvent) {
    this.#take = take;
  }

  /** Where the next bytes belong. */
  get offset(): number {
    return this.#torn;
  }

  /** `chunk` is what was read, in any memory. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      const part = chunk.subarray(at, at + this.buffer.length - this.#torn);
      this.buffer.set(part, this.#torn);
      at += part.length;
      this.#readTo(this.#torn + part.length);
    }
  }

  #readTo(end: number): void {
    let at = 0;
    for (; at + EVENT_BYTES <= end; at += EVENT_BYTES) {
      const seconds = Number(this.#view.getBigInt64(at, true));
      const microseconds = Number(this.#view.getBigInt64(at + 8, true));
      this.#take(
        seconds * 1000 + microseconds / 1000,
        this.#view.getUint16(at + 16, true),
        this.#view.getUint16(at + 18, true),
        this.#view.getInt32(at + 20, true),
      );
    }
    this.buffer.copyWithin(0, at, end);
    this.#torn = end - at;
  }
}
