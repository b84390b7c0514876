import { statSync } from 'node:fs';
import { type ListedSegment, listSegments } from '../spool/list-segments.ts';
import type { SegmentFile, SegmentOpener } from './segment-file.ts';

/** A segment of one's own, opened, or why it could not be. */
export type OwnSegment =
  | { readonly kind: 'opened'; readonly listed: ListedSegment; readonly file: SegmentFile }
  | { readonly kind: 'closed'; readonly listed: ListedSegment; readonly error: unknown };

/**
 * Opens, one after the other and the oldest first, the segments of a state folder that may hold something from
 * `sinceMs` on: journals, sealed ones and what was kept of sent ones. One that the daemon moves on meanwhile is looked
 * for again.
 */
export async function* ownSegments(
  stateDir: string,
  sinceMs: number,
  opener: SegmentOpener,
): AsyncGenerator<OwnSegment, void, undefined> {
  for (const listed of listSegments(stateDir)) {
    // A file is not written any more after its last event but to be sealed, and moving it changes no time.
    if ((writtenMs(listed.path) ?? Infinity) < sinceMs) continue;
    yield await openListed(stateDir, listed, opener);
  }
}

async function openListed(
  stateDir: string,
  listed: ListedSegment,
  opener: SegmentOpener,
): Promise<OwnSegment> {
  try {
    return { kind: 'opened', listed, file: await opener.open(listed.path) };
  } catch (error) {
    const moved = listSegments(stateDir).find(({ id, path }) => id === listed.id && path !== listed.path);
    if (writtenMs(listed.path) !== undefined || moved === undefined) return { kind: 'closed', listed, error };
    return await openListed(stateDir, moved, opener);
  }
}

function writtenMs(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
