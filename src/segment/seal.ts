import { createHash } from 'node:crypto';
import { TelemetryError } from '../core/errors.ts';
import { encodeSealedBlock } from './block.ts';
import { encodeHeader } from './header.ts';
import { encodeClockSync, encodeFooter, encodeGap, encodeLoss } from './marks.ts';
import { READ_LIMITS, type ReadLimits, readSegment } from './read.ts';
import type { SegmentFooter, SegmentHeader } from './types.ts';

/** A sealed file and what its owner wants to know of it without reading it again. */
export interface SealedSegment {
  readonly bytes: Uint8Array;
  readonly header: SegmentHeader;
  readonly footer: SegmentFooter;
  /** Bytes at the end of the journal that were not whole frames and are not in the sealed file. */
  readonly tornBytes: number;
}

/**
 * Makes the sealed file of a journal, torn or not. The same journal gives the same bytes. Loss frames become one, their
 * sum; frames of unknown types are left out. What it cannot read is a `bad-segment` error, as from `readSegment`.
 */
export function sealSegment(journal: Uint8Array, limits: ReadLimits = READ_LIMITS): SealedSegment {
  const segment = readSegment(journal, limits);
  if (segment.header.codec !== 'raw' || segment.footer !== null) {
    throw new TelemetryError('failed', 'This segment is sealed; sealed files are never coded again.', {
      op: 'seal segment',
      hint: 'keep the file as it is',
    });
  }
  const header: SegmentHeader = { ...segment.header, codec: 'columns-brotli' };
  const parts = [encodeHeader(header)];
  const { count, t } = segment.columns;
  if (count > 0) parts.push(encodeSealedBlock(segment.columns));
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
