import type { EventRecord } from '../core/events.ts';
import { isAgeFile } from './age-recipient.ts';
import { badSegment } from './bad-segment.ts';
import { hasMagic } from './frames.ts';
import { READ_LIMITS, type ReadLimits, readSegment } from './read.ts';
import { eventRecords, wallClock } from './records.ts';
import { JOURNAL_KEY_BYTES, openJournal, wrappedKeyOf } from './sealed-frames.ts';
import type { Segment } from './types.ts';

/** How {@link openSegment} opens a file. */
export interface OpenOptions {
  /** age identities (`AGE-SECRET-KEY-1…`) to open an encrypted file with; any one that fits will do. */
  readonly identities?: readonly string[];
  /** What the file may make the reader do. */
  readonly limits?: ReadLimits;
}

/** A segment, decrypted, verified and decoded. */
export interface OpenedSegment extends Segment {
  /** Whether the file was encrypted: an age file, or a journal with encrypted frames. */
  readonly isEncrypted: boolean;
  /** The events one by one, as `telemetryctl export --format jsonl` writes them; times in ms since the Unix epoch. */
  readonly events: () => Generator<EventRecord, void, undefined>;
  /** `columns.t`, which is in ms on the monotonic clock, as whole ms since the Unix epoch. */
  readonly wallTimes: () => Float64Array;
}

/**
 * Reads a segment file, `.tlm` or `.tlm.age`, sealed or still a journal; the bytes tell which it is. Rejects with a
 * `TelemetryError`: `bad-segment` for what is damaged, forged or no segment, `not-permitted` for what the identities do
 * not open. Memory is bounded by `limits`, whatever the file says.
 */
export async function openSegment(bytes: Uint8Array, options: OpenOptions = {}): Promise<OpenedSegment> {
  const { identities = [], limits = READ_LIMITS } = options;
  if (isAgeFile(bytes)) {
    const { decryptWith } = await loadAge();
    return opened(readSegment(await decryptWith(identities, bytes), limits), true);
  }
  const wrappedKey = wrappedKeyOf(bytes);
  if (wrappedKey === undefined) return opened(readSegment(bytes, limits), false);
  const { decryptWith } = await loadAge();
  const key = await decryptWith(identities, wrappedKey, { maxBytes: JOURNAL_KEY_BYTES });
  if (key.length !== JOURNAL_KEY_BYTES) throw badSegment('its key has a wrong length');
  const { journal, tornBytes } = openJournal(bytes, key, limits.maxFrames);
  return opened({ ...readSegment(journal, limits), tornBytes }, true);
}

/** Whether an identity is needed to open a file; `false` too for what is no segment at all. */
export function isEncryptedSegment(bytes: Uint8Array): boolean {
  if (isAgeFile(bytes)) return true;
  if (!hasMagic(bytes)) return false;
  try {
    return wrappedKeyOf(bytes) !== undefined;
  } catch {
    return false;
  }
}

/** Only for what is encrypted: the library behind it is far larger than the rest of the reader. */
function loadAge(): Promise<typeof import('./age-file.ts')> {
  return import('./age-file.ts');
}

function opened(segment: Segment, isEncrypted: boolean): OpenedSegment {
  return {
    ...segment,
    isEncrypted,
    events: () => eventRecords(segment),
    wallTimes() {
      const toWall = wallClock(segment);
      return segment.columns.t.subarray(0, segment.columns.count).map(toWall);
    },
  };
}
