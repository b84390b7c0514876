import { FRAME, MAGIC, nextFrame } from '../segment/frames.ts';
import { encodeHeader } from '../segment/header.ts';
import { decodeGap, decodeLoss, encodeGap } from '../segment/marks.ts';
import { readSegment } from '../segment/read.ts';
import type { SegmentHeader } from '../segment/types.ts';
import { type AppendFile, openAppendFile } from './append-file.ts';
import { readPlainFile, removeFile } from './durable-file.ts';
import { segmentPath } from './folders.ts';

/**
 * Begins a journal: a new 0600 file that holds the header, durable with its name. The one place where journals are
 * created; frames go in through the returned file.
 */
export function createJournal(stateDir: string, header: SegmentHeader): AppendFile {
  const file = openAppendFile(segmentPath(stateDir, 'journal', header.segmentId), 'new');
  try {
    file.append(encodeHeader(header));
    file.sync();
    return file;
  } catch (error) {
    file.close();
    removeFile(file.path);
    throw error;
  }
}

/** The bytes of a journal; empty when there is no such file. The one place where journals are read. */
export function readJournal(path: string): Uint8Array {
  return readPlainFile(path) ?? new Uint8Array();
}

/**
 * Whether a journal holds anything worth a segment: an event, a count of dropped events, or a gap that lasted. Masked
 * and thinned events are only counted beside others.
 */
export function isWorthKeeping(journal: Uint8Array): boolean {
  for (let offset = MAGIC.length; ; ) {
    const frame = nextFrame(journal, offset);
    if (frame === undefined) return false;
    if (frame.type === FRAME.block) return true;
    if (frame.type === FRAME.gap) {
      const gap = decodeGap(frame.payload);
      if (gap.endMonoMs > gap.startMonoMs) return true;
    }
    if (frame.type === FRAME.loss && decodeLoss(frame.payload).dropped > 0) return true;
    offset = frame.end;
  }
}

/**
 * The whole frames of a journal that a crash left open, with a `crashed` gap after them. The gap has no length: it says
 * that what followed is not known, and the clock of the boot in which it ended may be another one by now.
 */
export function endCrashedJournal(journal: Uint8Array): Uint8Array {
  const { header, columns, gaps, tornBytes } = readSegment(journal);
  const lastMonoMs = Math.max(
    columns.t[columns.count - 1] ?? header.originMonoMs,
    ...gaps.map((gap) => gap.endMonoMs),
  );
  const gap = encodeGap({ kind: 'crashed', startMonoMs: lastMonoMs, endMonoMs: lastMonoMs });
  return Buffer.concat([journal.subarray(0, journal.length - tornBytes), gap]);
}
