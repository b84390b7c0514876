import { createHash } from 'node:crypto';

/** Why a body could not be taken. */
export class BodyError extends Error {
  readonly reason: 'too-large' | 'aborted';

  constructor(reason: 'too-large' | 'aborted', cause?: unknown) {
    super(reason === 'too-large' ? 'the body is over the limit' : 'the body ended early', { cause });
    this.name = 'BodyError';
    this.reason = reason;
  }
}

/**
 * What comes off a socket is 64 KB at most; most segments fit in this, and so into one write. It bounds what a body in
 * flight holds.
 */
const PIECE_BYTES = 128 * 1024;

/**
 * A body that counts and hashes its bytes as they pass, whatever its headers claim, and gives them in pieces of
 * 128 KiB: each write of a store costs a hop to another thread and back. Can be read once.
 */
export class MeasuredBody implements AsyncIterable<Uint8Array> {
  sizeBytes = 0;
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #maxBytes: number;
  readonly #hash = createHash('sha256');

  constructor(source: AsyncIterable<Uint8Array>, maxBytes: number) {
    this.#source = source;
    this.#maxBytes = maxBytes;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const chunks = this.#source[Symbol.asyncIterator]();
    let parts: Uint8Array[] = [];
    let heldBytes = 0;
    try {
      for (;;) {
        const next = await chunks.next().catch((cause: unknown) => {
          throw new BodyError('aborted', cause);
        });
        if (next.done === true) break;
        this.sizeBytes += next.value.byteLength;
        if (this.sizeBytes > this.#maxBytes) throw new BodyError('too-large');
        parts.push(next.value);
        heldBytes += next.value.byteLength;
        if (heldBytes < PIECE_BYTES) continue;
        yield this.#pass(parts);
        parts = [];
        heldBytes = 0;
      }
      if (heldBytes > 0) yield this.#pass(parts);
    } finally {
      await chunks.return?.();
    }
  }

  #pass(parts: readonly Uint8Array[]): Uint8Array {
    const piece = Buffer.concat(parts);
    this.#hash.update(piece);
    return piece;
  }

  /** Hex SHA-256 of what passed; once, at the end. */
  sha256(): string {
    return this.#hash.digest('hex');
  }
}
