import { constants } from 'node:fs';
import { badSegment } from '../segment/bad-segment.ts';
import { FRAME, MAGIC, nextFrame } from '../segment/frames.ts';
import { decodeHeader, encodeHeader } from '../segment/header.ts';
import { decodeGap, decodeLoss, encodeGap } from '../segment/marks.ts';
import { readSegment } from '../segment/read.ts';
import { FrameSealer, wrappedKeyOf } from '../segment/sealed-frames.ts';
import type { SegmentHeader } from '../segment/types.ts';
import { type AppendFile, openAppendFile } from './append-file.ts';
import { diskError } from './disk-error.ts';
import { cutFile, readPlainFile, removeFile } from './durable-file.ts';
import type { FileSystem } from './file-system.ts';
import { fileSystemNode } from './file-system-node.ts';
import { segmentPath } from './folders.ts';

/** What encrypts one journal: the key itself, and the same as an age file for those who may open the segment. */
export interface JournalKey {
  readonly secret: Uint8Array;
  readonly wrapped: Uint8Array;
}

/** An open journal; with a `sealer` its frames go through that first. */
export interface Journal {
  readonly file: AppendFile;
  readonly sealer: FrameSealer | null;
}

/**
 * Begins a journal: a new 0600 file that holds the header, durable with its name. The one place where journals are
 * created; frames go in through the returned file.
 */
export function createJournal(
  stateDir: string,
  header: SegmentHeader,
  key: JournalKey | null = null,
  files: FileSystem = fileSystemNode,
): Journal {
  const encoded = encodeHeader(key === null ? header : { ...header, wrappedKey: key.wrapped });
  const file = openAppendFile(segmentPath(stateDir, 'journal', header.segmentId), 'new', files);
  try {
    file.append(encoded);
    file.sync();
    return { file, sealer: key === null ? null : new FrameSealer(key.secret, encoded) };
  } catch (error) {
    file.close();
    try {
      removeFile(file.path, files);
    } catch {
      // It stays, without an event in it, for the next start. The error that comes first is the one to tell.
    }
    throw error;
  }
}

/** Cuts a closed journal to its whole pieces, durably; see {@link AppendFile}. */
export function cutJournal(path: string, sizeBytes: number, files: FileSystem = fileSystemNode): void {
  try {
    const fd = files.openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
    try {
      cutFile(fd, sizeBytes, files);
    } finally {
      files.closeSync(fd);
    }
  } catch (cause) {
    throw diskError('cut', path, cause);
  }
}

/** The bytes of a journal; empty when there is no such file. The one place where journals are read. */
export function readJournal(path: string, files: FileSystem = fileSystemNode): Uint8Array {
  return readPlainFile(path, files) ?? new Uint8Array();
}

/** Whether a segment file is a journal whose frames are encrypted; `false` for anything that cannot be read. */
export function isEncryptedJournal(path: string, files: FileSystem = fileSystemNode): boolean {
  try {
    return wrappedKeyOf(readJournal(path, files)) !== undefined;
  } catch {
    return false;
  }
}

/** The consent receipt in a journal's header; `""` when it cannot be read. */
export function receiptOf(path: string, files: FileSystem = fileSystemNode): string {
  try {
    return outlineOf(readJournal(path, files)).header.receiptId;
  } catch {
    return '';
  }
}

/** The header of a journal, how many whole frames follow it, and where they end. */
export function outlineOf(journal: Uint8Array): {
  readonly header: SegmentHeader;
  readonly frames: number;
  readonly endOffset: number;
} {
  const first = nextFrame(journal, MAGIC.length);
  if (first?.type !== FRAME.header) throw badSegment('the header is damaged', MAGIC.length);
  let end = first.end;
  let frames = 0;
  for (let frame = nextFrame(journal, end); frame !== undefined; frame = nextFrame(journal, end)) {
    end = frame.end;
    frames++;
  }
  return { header: decodeHeader(first.payload), frames, endOffset: end };
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
