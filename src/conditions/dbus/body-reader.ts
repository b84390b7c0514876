import type { BusValue } from './values.ts';

/** The specification allows 32 arrays in each other and 32 structures. */
const MAX_DEPTH = 64;
/** Alignment of each type (D-Bus specification, "Marshaling"). */
const ALIGNMENT: Readonly<Record<string, number>> = {
  n: 2,
  q: 2,
  b: 4,
  i: 4,
  u: 4,
  h: 4,
  s: 4,
  o: 4,
  a: 4,
  x: 8,
  t: 8,
  d: 8,
  '(': 8,
  '{': 8,
};

/**
 * Reads values of a signature from a message, in either byte order. Throws a `RangeError` on whatever the bytes cannot
 * hold; it never reads outside them, and never makes more values than there are bytes.
 */
export class BodyReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #isLittle: boolean;
  #at = 0;

  constructor(bytes: Uint8Array, isLittle: boolean) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#isLittle = isLittle;
  }

  /** Where the next value begins, before its alignment. */
  get offset(): number {
    return this.#at;
  }

  /** One value for each complete type of the signature. */
  values(signature: string): BusValue[] {
    return splitSignature(signature).map((type) => this.#value(type, 0));
  }

  #value(type: string, depth: number): BusValue {
    if (depth > MAX_DEPTH) throw new RangeError('values are nested too deeply');
    const kind = type.charAt(0);
    this.#align(ALIGNMENT[kind] ?? 1);
    switch (kind) {
      case 'y':
        return this.#view.getUint8(this.#take(1));
      case 'b':
        return this.#uint32() !== 0;
      case 'n':
        return this.#view.getInt16(this.#take(2), this.#isLittle);
      case 'q':
        return this.#view.getUint16(this.#take(2), this.#isLittle);
      case 'i':
        return this.#view.getInt32(this.#take(4), this.#isLittle);
      case 'u':
      case 'h':
        return this.#uint32();
      case 'x':
        return Number(this.#view.getBigInt64(this.#take(8), this.#isLittle));
      case 't':
        return Number(this.#view.getBigUint64(this.#take(8), this.#isLittle));
      case 'd':
        return this.#view.getFloat64(this.#take(8), this.#isLittle);
      case 's':
      case 'o':
        return this.#text(this.#uint32());
      case 'g':
        return this.#text(this.#view.getUint8(this.#take(1)));
      case 'v':
        return this.#variant(depth);
      case 'a':
        return this.#array(type.slice(1), depth);
      case '(':
        return splitSignature(type.slice(1, -1)).map((part) => this.#value(part, depth + 1));
      default:
        throw new RangeError(`"${type}" is not a type`);
    }
  }

  #variant(depth: number): BusValue {
    const [type, ...more] = splitSignature(this.#text(this.#view.getUint8(this.#take(1))));
    if (type === undefined || more.length > 0) throw new RangeError('a variant is not of one type');
    return this.#value(type, depth + 1);
  }

  #array(item: string, depth: number): BusValue {
    const length = this.#uint32();
    this.#align(ALIGNMENT[item.charAt(0)] ?? 1);
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('an array is longer than its message');
    if (item === 'y') return Uint8Array.from(this.#bytes.subarray(this.#take(length), end));
    if (item.startsWith('{')) return this.#map(item, end, depth);
    const items: BusValue[] = [];
    while (this.#at < end) items.push(this.#nonEmpty(item, depth));
    return items;
  }

  #map(item: string, end: number, depth: number): BusValue {
    const [key = '', value = '', ...more] = splitSignature(item.slice(1, -1));
    if (value === '' || more.length > 0) throw new RangeError('a dictionary entry is not a pair');
    const map = new Map<BusValue, BusValue>();
    while (this.#at < end) {
      this.#align(8);
      map.set(this.#value(key, depth + 1), this.#value(value, depth + 1));
    }
    return map;
  }

  /** An empty structure takes no bytes, so that an array of them would never end. */
  #nonEmpty(type: string, depth: number): BusValue {
    const before = this.#at;
    const value = this.#value(type, depth + 1);
    if (this.#at === before) throw new RangeError('a value takes no bytes');
    return value;
  }

  #text(length: number): string {
    const start = this.#take(length + 1); // and its NUL
    return new TextDecoder().decode(this.#bytes.subarray(start, start + length));
  }

  #uint32(): number {
    return this.#view.getUint32(this.#take(4), this.#isLittle);
  }

  #align(to: number): void {
    this.#at = Math.ceil(this.#at / to) * to;
  }

  #take(bytes: number): number {
    const start = this.#at;
    if (start + bytes > this.#bytes.length) throw new RangeError('a value is longer than its message');
    this.#at += bytes;
    return start;
  }
}

/** The complete types of a signature: `sa{sv}(ou)` is `s`, `a{sv}` and `(ou)`. */
function splitSignature(signature: string): string[] {
  const types: string[] = [];
  for (let at = 0; at < signature.length; ) {
    const end = typeEnd(signature, at);
    types.push(signature.slice(at, end));
    at = end;
  }
  return types;
}

function typeEnd(signature: string, start: number): number {
  let at = start;
  while (signature[at] === 'a') at++;
  const close = signature[at] === '(' ? ')' : signature[at] === '{' ? '}' : '';
  if (at >= signature.length) throw new RangeError('a signature ends in the middle of a type');
  if (close === '') return at + 1;
  at++;
  while (signature[at] !== close) at = typeEnd(signature, at);
  return at + 1;
}
