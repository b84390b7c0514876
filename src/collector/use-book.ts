import type { SegmentKey } from './segment-key.ts';

/** The word of a person that consent is taken back: what came under these receipts is not to be used any more. */
export interface Withdrawal {
  readonly device: string;
  /** The request's id. */
  readonly request: string;
  readonly receipts: readonly string[];
  readonly atMs: number;
}

/** A segment that may be used: consent stands, it is not expired, and nobody had it erased. */
export interface UsableSegment extends SegmentKey {
  readonly sizeBytes: number;
  /** Hex SHA-256 of the file. */
  readonly sha256: string;
  /** Milliseconds since the epoch. */
  readonly receivedAtMs: number;
  readonly expiresAtMs: number;
  /** `null`: its device did not say. */
  readonly sequence: number | null;
  readonly receipt: string;
}

/** A segment that was kept here, and that copies must not have any more. */
export interface Dropped extends SegmentKey {
  readonly atMs: number;
  readonly why: 'deleted' | 'expired' | 'withdrawn';
}

/**
 * What of the catalogue may be used, which is decided anew at each question. Whose consent is not known is not used: that
 * it stands must be shown.
 */
export interface UseBook {
  start(): Promise<void>;
  /** Idempotent. */
  stop(): Promise<void>;
  /** Durable when it resolves; the same again changes nothing. */
  withdraw(withdrawal: Withdrawal): Promise<void>;
  isWithdrawn(device: string, receipt: string): Promise<boolean>;
  /** Ordered by device, then segment. `sinceMs`: only what was received from then on. */
  usable(nowMs: number, sinceMs?: number): AsyncIterable<UsableSegment>;
  /** The segment of that name if it may be used. */
  findUsable(key: SegmentKey, nowMs: number): Promise<UsableSegment | null>;
  /** What was dropped from `sinceMs` on: what was removed, then what only may not be used. */
  dropped(sinceMs: number): AsyncIterable<Dropped>;
}
