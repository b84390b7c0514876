import { badSegment } from './bad-segment.ts';
import { ByteReader } from './varint.ts';

/** A header nests three deep (map, list of screens, screen); more is not ours. */
const MAX_DEPTH = 4;

/**
 * Walks one MessagePack value without making it, and refuses what an unpacker would pay for before finding out: counts
 * larger than the bytes that follow, deep nesting, extension types (https://github.com/msgpack/msgpack/blob/master/spec.md).
 */
export function checkMsgpack(bytes: Uint8Array): void {
  const reader = new ByteReader(bytes);
  skipValue(reader, 0);
  reader.end();
}

function skipValue(reader: ByteReader, depth: number): void {
  if (depth > MAX_DEPTH) throw badSegment('the header nests too deep');
  const type = reader.u8();
  if (type < 0x80 || type >= 0xe0 || type === 0xc0 || type === 0xc2 || type === 0xc3) return;
  if (type < 0x90) skipItems(reader, 2 * (type & 15), depth);
  else if (type < 0xa0) skipItems(reader, type & 15, depth);
  else if (type < 0xc0) reader.take(type & 31);
  else if (type >= 0xc4 && type <= 0xc6) reader.take(bigEndian(reader, 1 << (type - 0xc4)));
  else if (type >= 0xca && type <= 0xcb) reader.take(4 << (type - 0xca));
  else if (type >= 0xcc && type <= 0xcf) reader.take(1 << (type - 0xcc));
  else if (type >= 0xd0 && type <= 0xd3) reader.take(1 << (type - 0xd0));
  else if (type >= 0xd9 && type <= 0xdb) reader.take(bigEndian(reader, 1 << (type - 0xd9)));
  else if (type >= 0xdc && type <= 0xdd) skipItems(reader, bigEndian(reader, 2 << (type - 0xdc)), depth);
  else if (type >= 0xde) skipItems(reader, 2 * bigEndian(reader, 2 << (type - 0xde)), depth);
  else throw badSegment('the header has a value of a type that is not allowed');
}

function skipItems(reader: ByteReader, count: number, depth: number): void {
  if (count > reader.remaining) throw badSegment('a count in the header is larger than what is there');
  for (let i = 0; i < count; i++) skipValue(reader, depth + 1);
}

function bigEndian(reader: ByteReader, size: number): number {
  let value = 0;
  for (const byte of reader.take(size)) value = value * 256 + byte;
  return value;
}
