import { statSync } from 'node:fs';
import type { RecordedSpan } from '../core/exemption.ts';
import { outlineOf, readJournal } from './journal-file.ts';
import type { QuarantinedFile, SegmentStore, StoredSegment } from './segment-store.ts';

/** No segment has this number. */
const UNKNOWN_SEQUENCE = -1;

/** From when to when a segment that was not sent reaches, as far as can be told without its key. */
export function spanOf(
  store: SegmentStore,
  segment: Exclude<StoredSegment, { stage: 'sent' }>,
): RecordedSpan {
  if (segment.stage !== 'journal') return segment.facts;
  const path = store.pathOf(segment);
  // What was written last cannot be younger than its file.
  const lastEventWallMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
  try {
    const { sequence, startWallMs } = outlineOf(readJournal(path)).header;
    return { sequence, startWallMs, lastEventWallMs };
  } catch {
    return { sequence: UNKNOWN_SEQUENCE, startWallMs: startOf(segment.id), lastEventWallMs };
  }
}

/** The same of a file that cannot be read. */
export function spanOfQuarantined({ id, modifiedWallMs }: QuarantinedFile): RecordedSpan {
  return { sequence: UNKNOWN_SEQUENCE, startWallMs: startOf(id), lastEventWallMs: modifiedWallMs };
}

/** A segment's id is a UUID of version 7, which begins with the millisecond it was made (RFC 9562, section 5.7). */
function startOf(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
