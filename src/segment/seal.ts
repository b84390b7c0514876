import { createHash } from 'node:crypto';
import { TelemetryError } from '../core/errors.ts';
import type { EventColumns } from '../core/events.ts';
import { encodeSealedBlock } from './block.ts';
import { encodeFrame, FRAME } from './frames.ts';
import { encodeHeader } from './header.ts';
import { encodeClockSync, encodeFooter, encodeGap, encodeLoss } from './marks.ts';
import { encodeMixBlock } from './mix-block.ts';
import { READ_LIMITS, type ReadLimits, readSegment } from './read.ts';
import type { Segment, SegmentFooter, SegmentHeader } from './types.ts';

/** A sealed file and what its owner wants to know of it without reading it again. */
export interface SealedSegment {
  readonly bytes: Uint8Array;
  readonly header: SegmentHeader;
  readonly footer: SegmentFooter;
  /** Bytes at the end of the journal that were not whole frames and are not in the sealed file. */
  readonly tornBytes: number;
}

/**
 * How much a sealed file may cost: `quick` is the codec `columns-brotli`; `smallest` tries `columns-mix` as well, which
 * takes ten times the CPU and saves a fifth, and keeps the smaller.
 */
export type SealEffort = 'quick' | 'smallest';

/**
 * Makes the sealed file of a journal, torn or not. The same journal gives the same bytes. Loss frames become one, their
 * sum; frames of unknown types are left out. What it cannot read is a `bad-segment` error, as from `readSegment`.
 */
export function sealSegment(
  journal: Uint8Array,
  effort: SealEffort = 'quick',
  limits: ReadLimits = READ_LIMITS,
): SealedSegment {
  const segment = readSegment(journal, limits);
  if (segment.header.codec !== 'raw' || segment.footer !== null) {
    throw new TelemetryError('failed', 'This segment is sealed; sealed files are never coded again.', {
      op: 'seal segment',
      hint: 'keep the file as it is',
    });
  }
  return sealDecoded(segment, effort);
}

/** Makes the sealed file of a segment as it is in memory, whatever it came from. */
export function sealDecoded(segment: Segment, effort: SealEffort): SealedSegment {
  const { count, t } = segment.columns;
  const { codec, blocks } = sealBlocks(segment.columns, effort);
  const header: SegmentHeader = { ...segment.header, codec };
  const parts = [encodeHeader(header), ...blocks];
  parts.push(...segment.gaps.map(encodeGap), ...segment.clocks.map(encodeClockSync));
  const { thinned, redacted, dropped } = segment.loss;
  if (thinned + redacted + dropped > 0) parts.push(encodeLoss(segment.loss));
  const before = Buffer.concat(parts);
  const footer = {
    events: count,
    firstMonoMs: count > 0 ? (t[0] ?? 0) : 0,
    lastMonoMs: count > 0 ? (t[count - 1] ?? 0) : 0,
    sha256: new Uint8Array(createHash('sha256').update(before).digest()),
  };
  const bytes = new Uint8Array(Buffer.concat([before, encodeFooter(footer)]));
  return { bytes, header, footer, tornBytes: segment.tornBytes };
}

/** One block, none without events. */
function sealBlocks(
  columns: EventColumns,
  effort: SealEffort,
): { readonly codec: SegmentHeader['codec']; readonly blocks: readonly Uint8Array[] } {
  if (columns.count === 0) return { codec: 'columns-brotli', blocks: [] };
  const packed = encodeSealedBlock(columns);
  const payload = effort === 'smallest' ? encodeMixBlock(columns) : undefined;
  const mixed = payload && encodeFrame(FRAME.block, payload);
  return mixed !== undefined && mixed.length < packed.length
    ? { codec: 'columns-mix', blocks: [mixed] }
    : { codec: 'columns-brotli', blocks: [packed] };
}
