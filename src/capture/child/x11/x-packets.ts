/** Every event and error is this long, and every reply at least (X protocol, section 1). */
const PACKET_BYTES = 32;
/** Kinds of packets by their first byte; everything else is a core event or one of an extension. */
export const PACKET = { error: 0, reply: 1, genericEvent: 35 } as const;

/** No reply that is asked for here is longer; a longer one is a torn stream, not something to allocate for. */
const MAX_PACKET_BYTES = 4 * 1024 * 1024;

/**
 * One packet, in place: `length` bytes of `bytes` from `offset` on. They are the reader's own and change afterwards:
 * what is to be kept is copied.
 */
export type TakePacket = (bytes: Buffer, offset: number, length: number) => void;

/** Cuts what an X server sends into packets, however it was chopped. Copies only a packet that was cut in two. */
export class PacketReader {
  #rest: Buffer | null = null;

  /** Gives each packet that `chunk` completes to `take`; `false` when the stream makes no sense. */
  push(chunk: Buffer, take: TakePacket): boolean {
    const bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    let offset = 0;
    while (bytes.length - offset >= PACKET_BYTES) {
      const length = packetLength(bytes, offset);
      if (length > MAX_PACKET_BYTES) return false;
      if (bytes.length - offset < length) break;
      take(bytes, offset, length);
      offset += length;
    }
    this.#rest = offset === bytes.length ? null : Buffer.from(bytes.subarray(offset));
    return true;
  }
}

function packetLength(bytes: Buffer, offset: number): number {
  const kind = bytes[offset];
  if (kind !== PACKET.reply && kind !== PACKET.genericEvent) return PACKET_BYTES;
  return PACKET_BYTES + 4 * bytes.readUInt32LE(offset + 4);
}
