import { createHash } from 'node:crypto';
import { TelemetryError } from '../core/errors.ts';
import { type EventColumns, emptyColumns, type LossCounts, NO_LOSS } from '../core/events.ts';
import { badSegment } from './bad-segment.ts';
import { blockBody } from './block.ts';
import { countEvents, decodeColumns, parseBlock } from './columns-decode.ts';
import { FRAME, type Frame, hasMagic, MAGIC, nextFrame } from './frames.ts';
import { decodeHeader } from './header.ts';
import { decodeClockSync, decodeFooter, decodeGap, decodeLoss } from './marks.ts';
import { countMixEvents, decodeMixBlock } from './mix-block.ts';
import type { ClockSync, Gap, Segment, SegmentFooter, SegmentHeader } from './types.ts';

/** What a file may make a reader do; more is a `bad-segment` error. */
export interface ReadLimits {
  /** Events in all; 25 bytes of memory each. */
  readonly maxEvents: number;
  /** Bytes of columns in all, after decompression. */
  readonly maxBodyBytes: number;
  /** Frames of every type. */
  readonly maxFrames: number;
}

/**
 * Memory under 64 MB whatever a file says: two million events are 50 MB of columns, their bytes at most 10 more. A
 * journal is rolled at 8 MiB and has a frame every few seconds; at 500 events a second it reaches the limit in an hour.
 */
export const READ_LIMITS: ReadLimits = {
  maxEvents: 2_000_000,
  maxBodyBytes: 10 * 1024 * 1024,
  maxFrames: 50_000,
};

/**
 * Reads a whole file, journal or sealed. A journal may end torn: what is whole is there, `tornBytes` says the rest. A
 * sealed file is whole or it is an error: it was published in one rename.
 */
export function readSegment(bytes: Uint8Array, limits: ReadLimits = READ_LIMITS): Segment {
  const first = firstFrame(bytes);
  const header = decodeHeader(first.payload);
  const scan = scanFrames(bytes, first.end, header, limits);
  const { gaps, clocks, loss, footer, end } = scan;
  // Before its events are taken apart: what was changed costs no memory.
  if (footer !== null) checkDigest(bytes, footer);
  const columns = allColumns(scan, header.codec);
  if (footer !== null) checkEvents(footer, columns);
  const tornBytes = bytes.length - end;
  const isSound = tornBytes === 0 && footer !== null;
  if ((header.codec !== 'raw' || footer !== null) && !isSound)
    throw badSegment('it is damaged or cut short', end);
  return { header, columns, gaps, clocks, loss, footer: footer?.value ?? null, tornBytes };
}

/** What a segment file says of itself, from its first bytes; they need not be all of it. */
export function headerOf(bytes: Uint8Array): SegmentHeader {
  return decodeHeader(firstFrame(bytes).payload);
}

interface FooterFrame {
  readonly value: SegmentFooter;
  readonly offset: number;
}

interface Scan {
  readonly bodies: Uint8Array[];
  readonly gaps: Gap[];
  readonly clocks: ClockSync[];
  loss: LossCounts;
  footer: FooterFrame | null;
  events: number;
  bodyBytes: number;
  /** Offset after the last whole frame, or after the footer. */
  end: number;
}

function firstFrame(bytes: Uint8Array): Frame {
  if (!hasMagic(bytes)) throw badSegment('it does not begin like one');
  const frame = nextFrame(bytes, MAGIC.length);
  if (frame?.type !== FRAME.header) throw badSegment('the header is damaged', MAGIC.length);
  return frame;
}

function scanFrames(bytes: Uint8Array, start: number, header: SegmentHeader, limits: ReadLimits): Scan {
  const scan: Scan = {
    bodies: [],
    gaps: [],
    clocks: [],
    loss: NO_LOSS,
    footer: null,
    events: 0,
    bodyBytes: 0,
    end: start,
  };
  let frames = 0;
  for (
    let frame = nextFrame(bytes, start);
    frame && scan.footer === null;
    frame = nextFrame(bytes, scan.end)
  ) {
    if (++frames > limits.maxFrames) throw badSegment('it has more frames than the limit');
    takeFrame(scan, frame, header, limits);
    scan.end = frame.end;
  }
  return scan;
}

function takeFrame(scan: Scan, frame: Frame, header: SegmentHeader, limits: ReadLimits): void {
  switch (frame.type) {
    case FRAME.header:
      throw badSegment('it has a second header', frame.offset);
    case FRAME.block: {
      if (header.codec !== 'raw' && scan.bodies.length > 0)
        throw badSegment('it has a second block', frame.offset);
      const body = blockBody(frame.payload, header.codec, limits.maxBodyBytes - scan.bodyBytes);
      scan.bodyBytes += body.length;
      scan.events += header.codec === 'columns-mix' ? countMixEvents(body) : countEvents(body);
      if (scan.events > limits.maxEvents) throw badSegment('it has more events than the limit');
      scan.bodies.push(body);
      return;
    }
    case FRAME.gap:
      scan.gaps.push(decodeGap(frame.payload));
      return;
    case FRAME.clockSync:
      scan.clocks.push(decodeClockSync(frame.payload));
      return;
    case FRAME.loss:
      scan.loss = sum(scan.loss, decodeLoss(frame.payload));
      return;
    case FRAME.encrypted:
      throw new TelemetryError('not-permitted', 'The journal is encrypted.', {
        op: 'read a segment',
        hint: 'open it with an identity: telemetryctl inspect --identity FILE',
      });
    case FRAME.footer:
      scan.footer = { value: decodeFooter(frame.payload), offset: frame.offset };
      return;
    default:
      // A type of a later version: its checksum is right, its content is not for this reader.
      return;
  }
}

function sum(left: LossCounts, right: LossCounts): LossCounts {
  return {
    thinned: left.thinned + right.thinned,
    redacted: left.redacted + right.redacted,
    dropped: left.dropped + right.dropped,
  };
}

/** Blocks are taken apart one at a time: a file of many tiny ones must not become as many objects at once. */
function allColumns({ bodies, events }: Scan, codec: SegmentHeader['codec']): EventColumns {
  const columns = { ...emptyColumns(events), count: events };
  if (codec === 'columns-mix') {
    for (const body of bodies) decodeMixBlock(body, columns);
    return columns;
  }
  let at = 0;
  for (const body of bodies) {
    const block = parseBlock(body);
    const carried = at === 0 ? block.start : { x: columns.x[at - 1] ?? 0, y: columns.y[at - 1] ?? 0 };
    decodeColumns(block, columns, at, carried);
    at += block.count;
  }
  return columns;
}

function checkDigest(bytes: Uint8Array, { value, offset }: FooterFrame): void {
  const digest = createHash('sha256').update(bytes.subarray(0, offset)).digest();
  if (!digest.equals(value.sha256)) throw badSegment('its SHA-256 does not match its footer', offset);
}

function checkEvents({ value, offset }: FooterFrame, { count, t }: EventColumns): void {
  const first = t[0] ?? 0;
  const last = t[count - 1] ?? 0;
  if (value.events !== count || value.firstMonoMs !== first || value.lastMonoMs !== last) {
    throw badSegment('its events do not match its footer', offset);
  }
}
