import { createHash } from 'node:crypto';

/** As many random bytes as asked for (`crypto.randomBytes`). */
export type RandomBytes = (size: number) => Uint8Array;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether a text is a UUID in its usual small letters; anything else never becomes part of a path. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** A UUID of version 4 (RFC 9562, section 5.4): 122 random bits, says nothing of its owner. */
export function randomUuid(randomBytes: RandomBytes): string {
  return formatUuid(Uint8Array.from(randomBytes(16)), 4);
}

/** A UUID of version 7 (RFC 9562, section 5.7): 48 bits of milliseconds since the epoch, then 74 random bits. */
export function timeOrderedUuid(wallMs: number, randomBytes: RandomBytes): string {
  const bytes = Uint8Array.from(randomBytes(16));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Math.floor(wallMs / 2 ** 32));
  view.setUint32(2, wallMs % 2 ** 32);
  return formatUuid(bytes, 7);
}

/** An id that follows from another and a word: it keeps the time of a UUID of version 7, the rest is their hash. */
export function derivedUuid(id: string, word: string): string {
  const bytes = Uint8Array.from(createHash('sha256').update(`${id} ${word}`).digest().subarray(0, 16));
  bytes.set(Buffer.from(id.replaceAll('-', '').slice(0, 12), 'hex'));
  return formatUuid(bytes, 7);
}

function formatUuid(bytes: Uint8Array, version: number): string {
  const view = new DataView(bytes.buffer);
  view.setUint8(6, (view.getUint8(6) & 0x0f) | (version << 4));
  view.setUint8(8, (view.getUint8(8) & 0x3f) | 0x80);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
