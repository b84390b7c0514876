import { badSegment } from './bad-segment.ts';

/**
 * The largest magnitude a stored integer may have: 2^50. Times in milliseconds stay far under it (35,000 years), and
 * the zigzag form of the difference of any two such numbers is still an exact double.
 */
export const MAX_INTEGER = 2 ** 50;

/** A varint of 8 bytes carries 56 bits; no number of ours needs more, so a ninth byte is an error. */
const MAX_VARINT_BYTES = 8;

const EMPTY = new Uint8Array();
const SMALL = 64;

/**
 * Bytes to be overwritten, not cleared; from Node's pool where they are few: an array buffer of its own costs more than
 * what is written into it.
 */
export function allocate(size: number): Uint8Array {
  const { buffer, byteOffset } = Buffer.allocUnsafe(size);
  return new Uint8Array(buffer, byteOffset, size);
}

/** Grows as needed; `bytes()` gives what was written. Integers are LEB128, least significant 7 bits first. */
export class ByteWriter {
  #buffer: Uint8Array;
  #length = 0;

  /** Without a capacity nothing is allocated before the first write: most streams of a small block stay empty. */
  constructor(capacity = 0) {
    this.#buffer = capacity === 0 ? EMPTY : allocate(capacity);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    if (this.#length === this.#buffer.length) this.#grow(1);
    this.#buffer[this.#length++] = value;
  }

  /** `value` is a whole number from 0 to 2^53 - 1. */
  uvarint(value: number): void {
    if (value < 128) {
      this.u8(value);
      return;
    }
    let rest = value;
    while (rest >= 0x80000000) {
      this.u8((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    while (rest >= 128) {
      this.u8((rest & 127) | 128);
      rest >>>= 7;
    }
    this.u8(rest);
  }

  /** Signed: 0, -1, 1, -2, 2 … become 0, 1, 2, 3, 4 …, so that small magnitudes stay short. */
  zigzag(value: number): void {
    this.uvarint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  append(bytes: Uint8Array): void {
    this.#take(bytes, bytes.length);
  }

  /** What another one holds, behind what this one does. */
  appendFrom(other: ByteWriter): void {
    this.#take(other.#buffer, other.#length);
  }

  /** A view of what was written; valid until the next write. */
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Most streams of a journal's block are short: then a loop is quicker than a view and a native copy. */
  #take(bytes: Uint8Array, length: number): void {
    if (this.#length + length > this.#buffer.length) this.#grow(length);
    if (length > SMALL) this.#buffer.set(bytes.subarray(0, length), this.#length);
    else for (let i = 0; i < length; i++) this.#buffer[this.#length + i] = bytes[i] ?? 0;
    this.#length += length;
  }

  #grow(extra: number): void {
    const larger = allocate(Math.max(SMALL, this.#buffer.length * 2, this.#length + extra));
    larger.set(this.bytes());
    this.#buffer = larger;
  }
}

/** Reads forward through `bytes`, never past the end: running out is a `bad-segment` error. */
export class ByteReader {
  readonly bytes: Uint8Array;
  position: number;

  constructor(bytes: Uint8Array, position = 0) {
    this.bytes = bytes;
    this.position = position;
  }

  get remaining(): number {
    return this.bytes.length - this.position;
  }

  u8(): number {
    const value = this.bytes[this.position];
    if (value === undefined) throw badSegment('a value is cut short');
    this.position++;
    return value;
  }

  uvarint(): number {
    let value = this.u8();
    if (value < 128) return value;
    value -= 128;
    for (let scale = 128, size = 2; size <= MAX_VARINT_BYTES; scale *= 128, size++) {
      const byte = this.u8();
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
    }
    throw badSegment('a number is too large');
  }

  zigzag(): number {
    const value = this.uvarint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** A length in bytes, or a count of what takes a byte each at least: it must fit in what is left. */
  length(): number {
    const value = this.uvarint();
    if (value > this.remaining) throw badSegment('a length is larger than what is there');
    return value;
  }

  /** The next `length` bytes, as a view. */
  take(length: number): Uint8Array {
    if (length > this.remaining) throw badSegment('a value is cut short');
    this.position += length;
    return this.bytes.subarray(this.position - length, this.position);
  }

  end(): void {
    if (this.remaining !== 0) throw badSegment('there are bytes left over');
  }
}
