import type { Libc } from './libc-koffi.ts';

const IOCTL = 'int ioctl(int fd, ulong request, uint8_t *data)';

/** `asm-generic/ioctl.h`: direction in the top two bits, then 14 bits of size, 8 of kind, 8 of number. */
const WRITE = 1;
const READ = 2;
/** `linux/input.h`: kind of all evdev requests. */
const EVDEV = 'E'.charCodeAt(0);

/** Numbers of the requests of `linux/input.h` that are asked here. */
const EVIOCGPROP = 0x09;
const EVIOCGKEY = 0x18;
const EVIOCGBIT = 0x20;
const EVIOCGABS = 0x40;
const EVIOCSCLOCKID = 0xa0;
/** `linux/time.h` */
const CLOCK_MONOTONIC = 1;

/** Of `struct input_absinfo` (value, minimum, maximum, fuzz, flat, resolution). */
export interface AbsoluteAxis {
  readonly minimum: number;
  readonly maximum: number;
  /** Units a millimetre; 0 when the device does not say. */
  readonly resolution: number;
}

/** Questions to an open evdev device. What the device (or what is none) does not answer is `null`. */
export class DeviceControl {
  readonly #libc: Libc;
  readonly #fd: number;

  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
  }

  /** Has the kernel stamp events with the monotonic clock; `false` when it does not. */
  useMonotonicClock(): boolean {
    const clock = new Uint8Array(Int32Array.of(CLOCK_MONOTONIC).buffer);
    return this.#request(WRITE, EVIOCSCLOCKID, clock) !== null;
  }

  /** What kind of thing the device is (`INPUT_PROP_*`), one bit each. */
  properties(): Bits | null {
    return this.#bits(EVIOCGPROP);
  }

  /** Which codes of an event type the device has; type 0 asks for the types. One bit each. */
  capabilities(type: number): Bits | null {
    return this.#bits(EVIOCGBIT + type);
  }

  /** Which keys and buttons are down now. */
  keysDown(): Bits | null {
    return this.#bits(EVIOCGKEY);
  }

  axis(code: number): AbsoluteAxis | null {
    const bytes = this.#request(READ, EVIOCGABS + code, new Uint8Array(24));
    if (bytes === null) return null;
    const [, minimum = 0, maximum = 0, , , resolution = 0] = new Int32Array(bytes.buffer);
    return { minimum, maximum, resolution };
  }

  #bits(number: number): Bits | null {
    const bytes = this.#request(READ, number, new Uint8Array(BIT_BYTES));
    return bytes === null ? null : new Bits(bytes);
  }

  #request<Data extends Uint8Array>(direction: number, number: number, data: Data): Data | null {
    // `>>> 0`: a shift into bit 31 is negative in JavaScript.
    const request = ((direction << 30) | (data.length << 16) | (EVDEV << 8) | number) >>> 0;
    return this.#libc.call(IOCTL, this.#fd, request, data).value < 0 ? null : data;
  }
}

/** `KEY_MAX` (0x2ff) of `linux/input-event-codes.h` is the largest code of any type. */
const BIT_BYTES = 0x300 / 8;

/** A bitmap as evdev gives it. */
export class Bits {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  has(code: number): boolean {
    return (((this.#bytes[code >> 3] ?? 0) >> (code & 7)) & 1) === 1;
  }

  /** Every code that is set, in order. */
  codes(): number[] {
    return Array.from({ length: this.#bytes.length * 8 }, (_, code) => code).filter((code) => this.has(code));
  }
}
