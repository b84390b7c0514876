import { badSegment } from './bad-segment.ts';
import { ByteWriter } from './varint.ts';

/**
 * A binary arithmetic coder, encoding or decoding: one call a decision, so that a model is written once for both. The
 * carryless form with a 32-bit interval, 16-bit probabilities and bytes out as soon as they are settled.
 */
export interface BitCoder {
  /**
   * Encoding: writes `bit` (0 or 1) and returns it. Decoding: ignores `bit`, returns the one read. `one` is the
   * probability of a 1 in 65536ths, from 1 to 65535.
   */
  code(bit: number, one: number): number;
}

/** Writes decisions. {@link finish} gives the bytes. */
export class BitEncoder implements BitCoder {
  readonly #out = new ByteWriter(1024);
  /** The interval, both ends inclusive, unsigned numbers in signed 32 bits. */
  #low = 0;
  #high = -1;

  code(bit: number, one: number): number {
    const middle = split(this.#low, this.#high, one);
    if (bit !== 0) this.#high = middle;
    else this.#low = (middle + 1) | 0;
    while (((this.#low ^ this.#high) & TOP_BYTE) === 0) {
      this.#out.u8(this.#high >>> 24);
      this.#low <<= 8;
      this.#high = (this.#high << 8) | 255;
    }
    return bit;
  }

  /** As few bytes more as lie in the interval when zeros follow them; then all bytes. */
  finish(): Uint8Array {
    const low = this.#low >>> 0;
    const high = this.#high >>> 0;
    for (let size = 0; size <= 4; size++) {
      const unit = 2 ** (32 - 8 * size);
      const value = Math.ceil(low / unit) * unit;
      if (value > high) continue;
      for (let i = 0; i < size; i++) this.#out.u8((value >>> (24 - 8 * i)) & 255);
      break;
    }
    return this.#out.bytes();
  }
}

/** Reads decisions back. Zeros follow the last byte; to need more than four of them is a `bad-segment` error. */
export class BitDecoder implements BitCoder {
  readonly #bytes: Uint8Array;
  #position: number;
  #low = 0;
  #high = -1;
  #value = 0;

  constructor(bytes: Uint8Array, position: number) {
    this.#bytes = bytes;
    this.#position = position;
    for (let i = 0; i < LOOKAHEAD; i++) this.#value = (this.#value << 8) | this.#next();
  }

  code(_bit: number, one: number): number {
    const middle = split(this.#low, this.#high, one);
    const bit = this.#value >>> 0 <= middle >>> 0 ? 1 : 0;
    if (bit !== 0) this.#high = middle;
    else this.#low = (middle + 1) | 0;
    while (((this.#low ^ this.#high) & TOP_BYTE) === 0) {
      this.#low <<= 8;
      this.#high = (this.#high << 8) | 255;
      this.#value = (this.#value << 8) | this.#next();
    }
    return bit;
  }

  /** Every byte must have been used. */
  end(): void {
    if (this.#position < this.#bytes.length) throw badSegment('there are bytes left over');
  }

  #next(): number {
    const position = this.#position++;
    if (position >= this.#bytes.length + LOOKAHEAD) throw badSegment('a value is cut short');
    return this.#bytes[position] ?? 0;
  }
}

const TOP_BYTE = 0xff000000;
const LOOKAHEAD = 4;

/** The last number of the interval's lower part, which stands for a 1. */
function split(low: number, high: number, one: number): number {
  const range = (high - low) | 0;
  return (low + Math.imul(range >>> 16, one) + (Math.imul(range & 0xffff, one) >>> 16)) | 0;
}
