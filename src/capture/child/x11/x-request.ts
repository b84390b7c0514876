/** The longest request without the BIG-REQUESTS extension: 65535 words. */
const MAX_WORDS = 65_535;

/**
 * The bytes of a request (X protocol, section 1): `u8 opcode | u8 detail | u16 length in words`, then `words` as
 * 32-bit numbers and `tail` padded to whole words, all little-endian.
 */
export function xRequest(
  opcode: number,
  detail: number,
  words: readonly number[] = [],
  tail: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const length = 1 + words.length + Math.ceil(tail.length / 4);
  if (length > MAX_WORDS) throw new RangeError(`a request of ${length} words is too long for X`);
  const bytes = new Uint8Array(4 * length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, opcode);
  view.setUint8(1, detail);
  view.setUint16(2, length, true);
  words.forEach((word, index) => view.setUint32(4 + 4 * index, word, true));
  bytes.set(tail, 4 + 4 * words.length);
  return bytes;
}

/** Two 16-bit fields as the word they make together. */
export function pair(low: number, high: number): number {
  return (low & 0xffff) | ((high & 0xffff) << 16);
}
