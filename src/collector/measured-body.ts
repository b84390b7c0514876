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

/** A body that counts and hashes its bytes as they pass, whatever its headers claim. Can be read once. */
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
    try {
      for (;;) {
        const next = await chunks.next().catch((cause: unknown) => {
          throw new BodyError('aborted', cause);
        });
        if (next.done === true) return;
        this.sizeBytes += next.value.byteLength;
        if (this.sizeBytes > this.#maxBytes) throw new BodyError('too-large');
        this.#hash.update(next.value);
        yield next.value;
      }
    } finally {
      await chunks.return?.();
    }
  }

  /** Hex SHA-256 of what passed; once, at the end. */
  sha256(): string {
    return this.#hash.digest('hex');
  }
}
