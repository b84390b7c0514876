import type { Coordinates, Screen } from '../core/capture.ts';
import type { EventColumns, LossCounts } from '../core/events.ts';
import type { KeyMode } from '../core/masking.ts';

/** What a segment says of itself, once, first thing (frame type 1). */
export interface SegmentHeader {
  readonly formatVersion: 1;
  /** How blocks are stored: `raw` in a journal, one of the others when sealed. */
  readonly codec: 'raw' | 'columns-brotli' | 'columns-mix';
  /** Milliseconds per tick of every stored time; 1. */
  readonly timeUnitMs: number;
  /** UUIDv7; names the file and keys the upload. */
  readonly segmentId: string;
  /** Pseudonym of this device and user; random, says nothing of either. */
  readonly device: string;
  /** Rises by one per segment of a device, so that a missing one shows. */
  readonly sequence: number;
  /** Wall clock (ms since the epoch) at `originMonoMs` on the monotonic clock. */
  readonly startWallMs: number;
  readonly originMonoMs: number;
  /** Minutes east of UTC at the start. */
  readonly zoneOffsetMinutes: number;
  /** `linux-x64`, `darwin-arm64`, … */
  readonly platform: string;
  readonly backend: string;
  readonly coordinates: Coordinates;
  readonly screens: readonly Screen[];
  /** The key mode in force. */
  readonly redaction: KeyMode;
  readonly policyId: string;
  /** Consent receipt; `""` for replayed recordings, which capture no one. */
  readonly receiptId: string;
  readonly schemaVersion: number;
  /** Conditions came from a simulated machine. */
  readonly simulated: boolean;
  /**
   * Hash of the last entry of the device's ledger when the segment began, 64 hexadecimal digits: who keeps it can tell
   * later whether the ledger was rewritten. The entry's number is left out, since it counts what the person did.
   */
  readonly ledgerHead?: string;
  /** Only in an encrypted journal: the journal's key as an age file, for the recipients of the segment. */
  readonly wrappedKey?: Uint8Array;
}

/**
 * A stretch without events (frame type 4), monotonic milliseconds. `withheld` is one kind for pause, lock, exclusion,
 * exemption and purge alike, so that it tells nothing about the person.
 */
export interface Gap {
  readonly kind: 'withheld' | 'stopped' | 'crashed' | 'asleep';
  readonly startMonoMs: number;
  readonly endMonoMs: number;
}

/** From `monoMs` on the wall clock is `wallMs + (t - monoMs)` (frame type 6). */
export interface ClockSync {
  readonly monoMs: number;
  readonly wallMs: number;
}

export interface SegmentFooter {
  readonly events: number;
  readonly firstMonoMs: number;
  readonly lastMonoMs: number;
  /** SHA-256 of everything before the footer frame, 32 bytes. */
  readonly sha256: Uint8Array;
}

/** Everything a segment holds, decoded. */
export interface Segment {
  readonly header: SegmentHeader;
  readonly columns: EventColumns;
  readonly gaps: readonly Gap[];
  readonly clocks: readonly ClockSync[];
  /** Sum of the loss counters (frame type 7). */
  readonly loss: LossCounts;
  /** `null`: not sealed (a journal, or torn). */
  readonly footer: SegmentFooter | null;
  /** Bytes at the end that are not whole frames; 0 for a sound file. */
  readonly tornBytes: number;
}
