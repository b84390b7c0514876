import type { SegmentKey } from './segment-key.ts';

/** When what is kept here must go. Each segment's time is set when it is taken, and is only ever brought forward. */
export interface RetentionBook {
  start(): Promise<void>;
  /** Idempotent. */
  stop(): Promise<void>;
  /**
   * Nothing is kept longer than `retentionMs` after it was received from now on; what was promised to go sooner does. How
   * many segments that concerns.
   */
  shorten(retentionMs: number): Promise<number>;
  /**
   * Removes the rows of at most `limit` segments whose time is over and leaves a tombstone for each, all or nothing and
   * durable. Their objects are removed after that, as with what is erased.
   */
  expire(nowMs: number, limit: number): Promise<readonly SegmentKey[]>;
  /** When the next segment's time is over; `null`: there is none. */
  nextExpiryMs(): Promise<number | null>;
}
