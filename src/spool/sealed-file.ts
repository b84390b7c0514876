import { badSegment } from '../segment/bad-segment.ts';
import { FRAME, hasMagic, MAGIC, nextFrame } from '../segment/frames.ts';
import { decodeHeader } from '../segment/header.ts';
import { decodeClockSync, decodeFooter, decodeGap } from '../segment/marks.ts';
import type { ClockSync, SegmentFooter, SegmentHeader } from '../segment/types.ts';
import { readPlainFile, writeDurably } from './durable-file.ts';
import type { FileSystem } from './file-system.ts';
import { fileSystemNode } from './file-system-node.ts';

/** What is kept in memory of a sealed segment that waits to be sent. */
export interface SealedFacts {
  readonly id: string;
  readonly sizeBytes: number;
  readonly sequence: number;
  /** `null` where nobody here can tell: an encrypted journal whose key is gone. */
  readonly events: number | null;
  /** Consent receipt it was captured under; `""` for replayed recordings. */
  readonly receiptId: string;
  readonly backend: string;
  readonly startWallMs: number;
  /** Hold-back and retention count from here. Of the last gap's end when there is no event. */
  readonly lastEventWallMs: number;
}

/** Writes a sealed segment: whole and durable, or not at all. The one place where sealed files are written. */
export function writeSealed(path: string, bytes: Uint8Array, files: FileSystem = fileSystemNode): void {
  writeDurably(path, bytes, files);
}

/** The facts of a sealed file on disk; throws a `bad-segment` error when it is damaged or not there. */
export function readSealedFacts(path: string, files: FileSystem = fileSystemNode): SealedFacts {
  return sealedFacts(readPlainFile(path, files) ?? new Uint8Array());
}

/** The facts of a sealed file's bytes, from its header, footer and marks; the events are not decoded. */
export function sealedFacts(bytes: Uint8Array): SealedFacts {
  if (!hasMagic(bytes)) throw badSegment('it does not begin like one');
  let header: SegmentHeader | undefined;
  let footer: SegmentFooter | undefined;
  let lastGapMonoMs = -Infinity;
  const clocks: ClockSync[] = [];
  let offset = MAGIC.length;
  for (let frame = nextFrame(bytes, offset); frame && !footer; frame = nextFrame(bytes, offset)) {
    if (frame.type === FRAME.header) header ??= decodeHeader(frame.payload);
    if (frame.type === FRAME.gap) {
      lastGapMonoMs = Math.max(lastGapMonoMs, decodeGap(frame.payload).endMonoMs);
    }
    if (frame.type === FRAME.clockSync) clocks.push(decodeClockSync(frame.payload));
    if (frame.type === FRAME.footer) footer = decodeFooter(frame.payload);
    offset = frame.end;
  }
  if (header === undefined) throw badSegment('the header is damaged', MAGIC.length);
  if (footer === undefined) throw badSegment('it is damaged or has no footer', offset);
  const { segmentId: id, sequence, receiptId, backend, startWallMs, originMonoMs } = header;
  const lastMonoMs = footer.events > 0 ? footer.lastMonoMs : Math.max(originMonoMs, lastGapMonoMs);
  const lastEventWallMs = wallAt(lastMonoMs, [{ monoMs: originMonoMs, wallMs: startWallMs }, ...clocks]);
  const { events } = footer;
  return { id, sizeBytes: bytes.length, sequence, events, receiptId, backend, startWallMs, lastEventWallMs };
}

/** By the latest clock frame at or before a time, else by the first. */
function wallAt(monoMs: number, clocks: readonly ClockSync[]): number {
  let best = clocks[0];
  for (const clock of clocks) {
    if (clock.monoMs <= monoMs && clock.monoMs >= (best?.monoMs ?? 0)) best = clock;
  }
  return best === undefined ? 0 : Math.round(best.wallMs + (monoMs - best.monoMs));
}
