import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { badSegment } from './bad-segment.ts';
import { encodeFrame, FRAME, type Frame, hasMagic, MAGIC, nextFrame } from './frames.ts';
import { decodeHeader, encodeHeader } from './header.ts';
import { READ_LIMITS } from './read.ts';
import type { SegmentHeader } from './types.ts';

/** ChaCha20-Poly1305 (RFC 8439): fast without special instructions, and in every Node. */
const CIPHER = 'chacha20-poly1305';
export const JOURNAL_KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** 2^32 frames of a flush each are centuries. */
const MAX_FRAMES = 2 ** 32;

/**
 * Encrypts the frames of one journal. Each plain frame becomes a frame of type 5 whose payload is its `type | payload`
 * under the journal's own key, with its number in the journal as the nonce: a key is used for one journal only, so no
 * nonce comes twice, and frames that are missing, repeated, out of place or under another header do not decrypt.
 */
export class FrameSealer {
  readonly #key: Uint8Array;
  readonly #context: Uint8Array;
  #next = 0;

  /** `header` is the journal's beginning, as `encodeHeader` made it. */
  constructor(key: Uint8Array, header: Uint8Array) {
    this.#key = key;
    this.#context = contextOf(header);
  }

  /** One encoded frame to its encrypted form. Numbers are not given back, also when the disk then refuses the frame. */
  seal(encoded: Uint8Array): Uint8Array {
    const frame = nextFrame(encoded, 0);
    if (frame?.end !== encoded.length || this.#next >= MAX_FRAMES) throw new Error('not one whole frame');
    const number = this.#next++;
    const cipher = createCipheriv(CIPHER, this.#key, nonceOf(number), { authTagLength: TAG_BYTES });
    const plain = Buffer.concat([Uint8Array.of(frame.type), frame.payload]);
    cipher.setAAD(this.#context, { plaintextLength: plain.length });
    const parts = [numberBytes(number), cipher.update(plain), cipher.final(), cipher.getAuthTag()];
    return encodeFrame(FRAME.encrypted, Buffer.concat(parts));
  }
}

/**
 * The wrapped key of an encrypted journal, as its header has it: an age file that holds the 32 bytes. `undefined` when
 * the file is not encrypted so.
 */
export function wrappedKeyOf(bytes: Uint8Array): Uint8Array | undefined {
  return decodeHeader(headerFrame(bytes).payload).wrappedKey;
}

/**
 * The plain journal of an encrypted one, up to its first byte that cannot be trusted; a torn end is left out. A wrong
 * key is a `bad-segment` error, unless the journal has no frame yet; so are more than `maxFrames`.
 */
export function openJournal(
  bytes: Uint8Array,
  key: Uint8Array,
  maxFrames: number = READ_LIMITS.maxFrames,
): { journal: Uint8Array; tornBytes: number } {
  const first = headerFrame(bytes);
  const context = contextOf(bytes.subarray(0, first.end));
  const header = encodeHeader(withoutKey(decodeHeader(first.payload)));
  // Every plain frame is shorter than its encrypted form.
  const journal = new Uint8Array(header.length + bytes.length - first.end);
  let size = 0;
  const put = (frame: Uint8Array): void => {
    journal.set(frame, size);
    size += frame.length;
  };
  put(header);
  let end = first.end;
  let number = 0;
  for (let frame = nextFrame(bytes, end); frame !== undefined; frame = nextFrame(bytes, end)) {
    // A plain frame in an encrypted journal was not written by its daemon.
    if (frame.type !== FRAME.encrypted) throw badSegment('a frame is not encrypted', frame.offset);
    if (number >= maxFrames) throw badSegment('it has too many frames', frame.offset);
    put(open(frame, key, context, number));
    number++;
    end = frame.end;
  }
  return { journal: journal.subarray(0, size), tornBytes: bytes.length - end };
}

function open(frame: Frame, key: Uint8Array, context: Uint8Array, expected: number): Uint8Array {
  const { payload, offset } = frame;
  const bodyEnd = payload.length - TAG_BYTES;
  const body = payload.subarray(4, bodyEnd);
  if (body.length < 1) throw badSegment('an encrypted frame is too short', offset);
  if (readNumber(payload) !== expected)
    throw badSegment('an encrypted frame is missing or out of place', offset);
  try {
    const decipher = createDecipheriv(CIPHER, key, nonceOf(expected), { authTagLength: TAG_BYTES });
    decipher.setAAD(context, { plaintextLength: body.length });
    decipher.setAuthTag(payload.subarray(bodyEnd));
    // A stream cipher has given everything here; the end only checks.
    const plain = decipher.update(body);
    decipher.final();
    return encodeFrame(plain[0] ?? 0, plain.subarray(1));
  } catch (error) {
    throw badSegment('an encrypted frame does not open: another key, or it was changed', offset, error);
  }
}

function withoutKey(header: SegmentHeader): SegmentHeader {
  const plain: SegmentHeader & { wrappedKey?: Uint8Array } = { ...header };
  delete plain.wrappedKey;
  return plain;
}

/** What every frame is bound to: the header before it. */
function contextOf(header: Uint8Array): Uint8Array {
  return createHash('sha256').update(header).digest();
}

function headerFrame(bytes: Uint8Array): Frame {
  if (!hasMagic(bytes)) throw badSegment('it does not begin like one');
  const frame = nextFrame(bytes, MAGIC.length);
  if (frame?.type !== FRAME.header) throw badSegment('the header is damaged', MAGIC.length);
  return frame;
}

/** 12 bytes: the frame's number, u32le, and zeros. */
function nonceOf(number: number): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  nonce.set(numberBytes(number));
  return nonce;
}

function numberBytes(number: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, number, true);
  return bytes;
}

function readNumber(payload: Uint8Array): number {
  return new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0, true);
}
