import type { LossCounts } from '../core/events.ts';
import { badSegment } from './bad-segment.ts';
import { encodeFrame, FRAME } from './frames.ts';
import type { ClockSync, Gap, SegmentFooter } from './types.ts';
import { ByteReader, ByteWriter, MAX_INTEGER } from './varint.ts';

const GAP_KINDS = ['withheld', 'stopped', 'crashed', 'asleep'] as const satisfies Gap['kind'][];
const SHA256_BYTES = 32;

/** Frame type 4. Times are rounded to whole milliseconds; an end before the start is stored as the start. */
export function encodeGap(gap: Gap): Uint8Array {
  const start = Math.round(gap.startMonoMs);
  const out = new ByteWriter();
  out.u8(GAP_KINDS.indexOf(gap.kind));
  out.zigzag(start);
  out.uvarint(Math.max(0, Math.round(gap.endMonoMs) - start));
  return encodeFrame(FRAME.gap, out.bytes());
}

export function decodeGap(payload: Uint8Array): Gap {
  const reader = new ByteReader(payload);
  const kind = GAP_KINDS[reader.u8()];
  if (kind === undefined) throw badSegment('a gap has an unknown kind');
  const startMonoMs = readTime(reader);
  const endMonoMs = inRange(startMonoMs + reader.uvarint());
  reader.end();
  return { kind, startMonoMs, endMonoMs };
}

/** Frame type 6. Rounded to whole milliseconds so that the difference of the two clocks is kept to half of one. */
export function encodeClockSync(sync: ClockSync): Uint8Array {
  const mono = Math.round(sync.monoMs);
  const out = new ByteWriter();
  out.zigzag(mono);
  out.zigzag(Math.round(sync.wallMs + (mono - sync.monoMs)));
  return encodeFrame(FRAME.clockSync, out.bytes());
}

export function decodeClockSync(payload: Uint8Array): ClockSync {
  const reader = new ByteReader(payload);
  const sync = { monoMs: readTime(reader), wallMs: readTime(reader) };
  reader.end();
  return sync;
}

/** Frame type 7: what was lost since the last such frame, not since the start; a reader adds them up. */
export function encodeLoss(loss: LossCounts): Uint8Array {
  const out = new ByteWriter();
  for (const count of [loss.thinned, loss.redacted, loss.dropped]) out.uvarint(count);
  return encodeFrame(FRAME.loss, out.bytes());
}

export function decodeLoss(payload: Uint8Array): LossCounts {
  const reader = new ByteReader(payload);
  const loss = { thinned: readCount(reader), redacted: readCount(reader), dropped: readCount(reader) };
  reader.end();
  return loss;
}

/** Frame type 3: the last frame of a sealed file. */
export function encodeFooter(footer: SegmentFooter): Uint8Array {
  const out = new ByteWriter();
  out.uvarint(footer.events);
  out.zigzag(footer.firstMonoMs);
  out.zigzag(footer.lastMonoMs);
  out.append(footer.sha256);
  return encodeFrame(FRAME.footer, out.bytes());
}

export function decodeFooter(payload: Uint8Array): SegmentFooter {
  const reader = new ByteReader(payload);
  const footer = {
    events: reader.uvarint(),
    firstMonoMs: readTime(reader),
    lastMonoMs: readTime(reader),
    sha256: reader.take(SHA256_BYTES).slice(),
  };
  reader.end();
  return footer;
}

/** A signed number of milliseconds, within {@link MAX_INTEGER}. */
export function readTime(reader: ByteReader): number {
  return inRange(reader.zigzag());
}

function readCount(reader: ByteReader): number {
  return inRange(reader.uvarint());
}

function inRange(value: number): number {
  if (Math.abs(value) > MAX_INTEGER) throw badSegment('a number is too large');
  return value;
}
