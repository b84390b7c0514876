import { TelemetryError } from '../core/errors.ts';
import type { SegmentKey } from './segment-key.ts';

/** Where the bytes of segments lie. Objects are whole and durable or not there; none is ever replaced. */
export interface ObjectStore {
  /** Whether other collectors may publish and remove objects in it at the same time. */
  readonly isShared: boolean;
  /** Makes the store ready and removes what an earlier run left half-written. */
  start(): Promise<void>;
  /** Releases what `start` took. Idempotent. */
  stop(): Promise<void>;
  /**
   * Takes in a body without publishing it, in bounded memory. When `body` throws, nothing is kept and the error comes
   * out unchanged. The caller ends with `publish` or `discard`.
   */
  stage(key: SegmentKey, body: AsyncIterable<Uint8Array>): Promise<StagedObject>;
  /** What lies under the key; `null` when nothing does. */
  describe(key: SegmentKey): Promise<StoredObject | null>;
  /** The stored bytes, in pieces; `null` when there are none. */
  read(key: SegmentKey): Promise<AsyncIterable<Uint8Array> | null>;
  /** Hex SHA-256 of the stored bytes, read again; `null` when there are none. */
  digest(key: SegmentKey): Promise<string | null>;
  /** Takes the object away; does nothing when there is none. */
  remove(key: SegmentKey): Promise<void>;
  /** Every published key, in no particular order. */
  list(): AsyncIterable<SegmentKey>;
}

/** A body that has arrived and that nobody sees yet. */
export interface StagedObject {
  /** Makes it visible under its key; when this returns `published` it survives a power cut. */
  publish(): Promise<'published' | 'exists'>;
  /** Forgets it. Does nothing after `publish`. Idempotent. */
  discard(): Promise<void>;
}

export interface StoredObject {
  readonly sizeBytes: number;
  /** When it was written, milliseconds since the epoch. */
  readonly writtenAtMs: number;
}

/** There is no room. Whoever throws it has kept nothing of what was asked. */
export class StorageFullError extends TelemetryError {
  constructor(op: string, cause: unknown) {
    super('unavailable', 'the storage is full', {
      op,
      cause,
      retryable: true,
      hint: 'free space in the data folder',
    });
    this.name = 'StorageFullError';
  }
}
