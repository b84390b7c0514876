import type { SegmentKey } from './segment-key.ts';

/** A person's request to erase segments of a device; counts and ids, nothing of the person. */
export interface Erasure {
  readonly device: string;
  /** The request's id: the same again finds the same. */
  readonly request: string;
  readonly segments: readonly string[];
  readonly atMs: number;
}

/** What became of it. Both are tombstoned: neither is ever taken again. */
export interface Erased {
  /** Were kept here. */
  readonly erased: readonly string[];
  /** Never came. */
  readonly unknown: readonly string[];
}

/** What is known of a stored segment. */
export interface SegmentRecord extends SegmentKey {
  readonly sizeBytes: number;
  /** Hex SHA-256 of the file. */
  readonly sha256: string;
  /** Milliseconds since the epoch. */
  readonly receivedAtMs: number;
  /** Hash of the last entry of the device's ledger, as it came with the segment. */
  readonly ledgerHead?: string;
  /** When it must go; absent until that is decided. */
  readonly expiresAtMs?: number;
  /** Its number among the device's segments, where the device said it. */
  readonly sequence?: number;
  /** The consent receipt it was recorded under, where the device said it. */
  readonly receipt?: string;
}

/** What adding a row came to. */
export type AddOutcome = 'added' | 'exists' | 'erased';
/** What a row may lack that was made from the bytes alone. */
export type SegmentFacts = Pick<SegmentRecord, 'expiresAtMs' | 'sequence' | 'receipt'>;

/** The list of stored segments. A row is added only after its object is durable, so a row never promises too much. */
export interface Catalog {
  /** Opens it and brings its schema up to date. */
  start(): Promise<void>;
  /** Closes it. Idempotent. */
  stop(): Promise<void>;
  find(key: SegmentKey): Promise<SegmentRecord | null>;
  /**
   * Says that an object is about to be published; `erased` when it must not be. Where several share a store it is
   * unsettled until its row is added, and so found again when its process dies in between.
   */
  announce(key: SegmentKey, atMs: number): Promise<'clear' | 'erased'>;
  /**
   * Adds a row and returns once it is durable. `exists`: the key had a row, which stands unchanged. `erased`: a tombstone
   * came first, and nothing was added. Throws `StorageFullError` only when it is certain that nothing was added.
   */
  add(record: SegmentRecord): Promise<AddOutcome>;
  /** Adds to a row what it lacks, and brings its end forward where that is sooner. The row as it stands then. */
  complete(key: SegmentKey, facts: SegmentFacts): Promise<SegmentRecord | null>;
  /** What was announced or erased before a moment, where several share a store, and has not been added or settled. */
  unsettled(beforeMs: number): AsyncIterable<SegmentKey>;
  /** Says that object, row and tombstone of a key go together. */
  settle(key: SegmentKey): Promise<void>;
  /**
   * Removes the rows of segments, leaves a tombstone for each, and notes the request, all or nothing and durable. Objects
   * are removed after that: a tombstone that outlives its object is what must not happen the other way round. Where several
   * share a store they stay unsettled: whoever was publishing one may only come to that now.
   */
  erase(erasure: Erasure): Promise<Erased>;
  /** Whether a tombstone stands, its person's or that of its time: such a segment is never taken. */
  isErased(key: SegmentKey): Promise<boolean>;
  /** Ordered by device, then segment (which is by age, as ids are UUIDv7). */
  list(filter?: { readonly device?: string }): AsyncIterable<SegmentRecord>;
}
