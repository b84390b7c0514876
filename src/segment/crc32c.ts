/** Reversed polynomial of CRC-32C (Castagnoli; RFC 3720, appendix B.4). It finds more short errors than zlib's. */
const POLYNOMIAL = 0x82f63b78;
const SLICES = 8;

let tables: Int32Array | undefined;

/** CRC-32C of `bytes` from `start` to `end`, unsigned; eight bytes a step (slicing-by-8), some 1 GB/s. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const table = (tables ??= makeTables());
  const at = (slice: number, byte: number): number => table[(slice << 8) | byte] ?? 0;
  let crc = -1;
  let i = start;
  for (; i + SLICES <= end; i += SLICES) {
    crc ^= word(bytes, i);
    const high = word(bytes, i + 4);
    crc =
      at(7, crc & 255) ^
      at(6, (crc >>> 8) & 255) ^
      at(5, (crc >>> 16) & 255) ^
      at(4, crc >>> 24) ^
      at(3, high & 255) ^
      at(2, (high >>> 8) & 255) ^
      at(1, (high >>> 16) & 255) ^
      at(0, high >>> 24);
  }
  for (; i < end; i++) crc = at(0, (crc ^ (bytes[i] ?? 0)) & 255) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function word(bytes: Uint8Array, i: number): number {
  return (
    (bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8) | ((bytes[i + 2] ?? 0) << 16) | ((bytes[i + 3] ?? 0) << 24)
  );
}

/** `table[slice * 256 + byte]`: the CRC of `byte` followed by `slice` zero bytes. */
function makeTables(): Int32Array {
  const table = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    table[byte] = crc;
  }
  for (let i = 256; i < table.length; i++) {
    const previous = table[i - 256] ?? 0;
    table[i] = (table[previous & 255] ?? 0) ^ (previous >>> 8);
  }
  return table;
}
