import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import type { EventColumns } from '../core/events.ts';
import { badSegment } from './bad-segment.ts';
import { encodeCandidates, encodeColumns } from './columns-encode.ts';
import { encodeFrame, FRAME } from './frames.ts';
import type { SegmentHeader } from './types.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/** Quality 11 takes 30 times the CPU for 4 % (measured on recordings); a window of 2^18 covers most segments whole. */
const BROTLI_QUALITY = 5;
const BROTLI_LGWIN = 18;

/**
 * A journal's block: frame type 2 with events `from` up to, not including, `to`. Whole streams, no compression, and it
 * decodes alone. Times are rounded to 1 ms; key events take the position the pointer has.
 */
export function encodeBlock(columns: EventColumns, from: number, to: number): Uint8Array {
  return encodeFrame(FRAME.block, encodeColumns(columns, from, to));
}

/**
 * A sealed file's block: all its events as one brotli stream, `uvarint size | brotli`. Half bytes of the same event
 * together suit desk work and games, halves along the columns steady motion at 400 Hz, by 8 %.
 */
export function encodeSealedBlock(columns: EventColumns): Uint8Array {
  const [first, ...others] = encodeCandidates(columns);
  let body = first;
  let packed = deflate(first);
  for (const other of others) {
    const candidate = deflate(other);
    if (candidate.length >= packed.length) continue;
    body = other;
    packed = candidate;
  }
  const out = new ByteWriter(packed.length + 8);
  out.uvarint(body.length);
  out.append(packed);
  return encodeFrame(FRAME.block, out.bytes());
}

/** Mode makes no difference to these bytes (generic, text and font measured within 0.1 %). */
function deflate(body: Uint8Array): Uint8Array {
  return brotliCompressSync(body, {
    // One buffer for the result, in Node's pool where it is small; the default of 16 KB is made anew each time.
    chunkSize: 1024 + (body.length >> 1),
    params: {
      [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: BROTLI_LGWIN,
      [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_GENERIC,
    },
  });
}

/**
 * The columns' bytes of a block's payload, unpacked as the header's codec says, at most `maxBytes` of them. A payload of
 * `columns-mix` has no such bytes and stays as it is.
 */
export function blockBody(payload: Uint8Array, codec: SegmentHeader['codec'], maxBytes: number): Uint8Array {
  if (codec !== 'columns-brotli') return payload;
  const reader = new ByteReader(payload);
  const size = reader.uvarint();
  if (size > maxBytes) throw badSegment('a block is larger than the limit');
  const body = inflate(payload.subarray(reader.position), size);
  if (body.length !== size) throw badSegment('a block has another size than it says');
  return body;
}

/** One chunk of just over the stated size, so that a stream which lies about it is stopped before it takes memory. */
function inflate(compressed: Uint8Array, size: number): Uint8Array {
  try {
    return brotliDecompressSync(compressed, { maxOutputLength: size + 1, chunkSize: Math.max(64, size + 1) });
  } catch (error) {
    throw badSegment('a block does not decompress', undefined, error);
  }
}
