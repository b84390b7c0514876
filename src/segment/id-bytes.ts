import { badSegment } from './bad-segment.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UUID_BYTES = 16;
const HEX = /^([0-9a-f]{2}){4,64}$/;

/**
 * Ids as the header stores them: a UUID as 16 bytes, other hexadecimal of whole bytes as its bytes, anything else as
 * the text it is. Half the bytes for the same id: the header is the largest fixed cost of a small segment.
 */
export function bytesOfId(id: string): Uint8Array | string {
  if (UUID.test(id)) return new Uint8Array(Buffer.from(id.replaceAll('-', ''), 'hex'));
  return HEX.test(id) && id.length !== 2 * UUID_BYTES ? new Uint8Array(Buffer.from(id, 'hex')) : id;
}

/** The inverse of {@link bytesOfId} for ids that are bytes: 16 of them are a UUID, lower case, with hyphens. */
export function idOfBytes(bytes: Uint8Array): string {
  if (bytes.length > 64) throw badSegment('an id in the header is too long');
  const hex = Buffer.from(bytes).toString('hex');
  if (bytes.length !== UUID_BYTES) return hex;
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return parts.join('-');
}
