import { crc32c } from './crc32c.ts';

/** First bytes of every segment file: as PNG's, they show a transfer that changed line ends or cut the high bit. */
export const MAGIC: Uint8Array = Uint8Array.of(0x89, 0x54, 0x4c, 0x4d, 0x0d, 0x0a, 0x1a, 0x0a);

/** Frame types; numbers never change. 5 holds another frame, encrypted. A reader skips types it does not know. */
export const FRAME = { header: 1, block: 2, footer: 3, gap: 4, encrypted: 5, clockSync: 6, loss: 7 } as const;

const CRC_BYTES = 4;
/** A length of four varint bytes is 256 MiB, far above any segment; a longer one is damage. */
const MAX_LENGTH_BYTES = 4;

/** One whole frame with a right checksum, found by {@link nextFrame}. */
export interface Frame {
  readonly type: number;
  /** Of the type byte, from the start of the file. */
  readonly offset: number;
  /** A view into the file. */
  readonly payload: Uint8Array;
  /** Offset of the byte after the frame. */
  readonly end: number;
}

/** `u8 type | uvarint length | payload | u32le CRC-32C(type..payload)`. */
export function encodeFrame(type: number, payload: Uint8Array): Uint8Array {
  let lengthBytes = 1;
  while (payload.length >= 2 ** (7 * lengthBytes)) lengthBytes++;
  const frame = new Uint8Array(1 + lengthBytes + payload.length + CRC_BYTES);
  frame[0] = type;
  for (let i = 0, rest = payload.length; i < lengthBytes; i++, rest >>>= 7) {
    frame[1 + i] = (rest & 127) | (i < lengthBytes - 1 ? 128 : 0);
  }
  frame.set(payload, 1 + lengthBytes);
  const crcAt = frame.length - CRC_BYTES;
  const crc = crc32c(frame, 0, crcAt);
  for (let i = 0; i < CRC_BYTES; i++) frame[crcAt + i] = crc >>> (8 * i);
  return frame;
}

/**
 * The frame at `offset`, of any type; `undefined` when it is torn, its checksum is wrong, or the file ends there.
 * A scan that follows `end` from frame to frame therefore stops at the first byte that cannot be trusted.
 */
export function nextFrame(bytes: Uint8Array, offset: number): Frame | undefined {
  const type = bytes[offset];
  if (type === undefined) return undefined;
  let length = 0;
  for (let i = 0; ; i++) {
    const byte = bytes[offset + 1 + i];
    if (byte === undefined || i === MAX_LENGTH_BYTES) return undefined;
    length |= (byte & 127) << (7 * i);
    if (byte >= 128) continue;
    const start = offset + 2 + i;
    const end = start + length + CRC_BYTES;
    if (end > bytes.length) return undefined;
    const payload = bytes.subarray(start, start + length);
    return crcAt(bytes, start + length) === crc32c(bytes, offset, start + length)
      ? { type, offset, payload, end }
      : undefined;
  }
}

function crcAt(bytes: Uint8Array, at: number): number {
  let crc = 0;
  for (let i = CRC_BYTES - 1; i >= 0; i--) crc = crc * 256 + (bytes[at + i] ?? 0);
  return crc;
}

/** Whether `bytes` begin as a segment file does. */
export function hasMagic(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, index) => bytes[index] === byte);
}
