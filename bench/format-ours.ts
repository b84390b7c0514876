import type { EventColumns } from '../src/core/events.ts';
import { encodeBlock } from '../src/segment/block.ts';
import { encodeHeader } from '../src/segment/header.ts';
import { readSegment } from '../src/segment/read.ts';
import { eventRecords } from '../src/segment/records.ts';
import { type SealEffort, sealSegment } from '../src/segment/seal.ts';
import type { SegmentHeader } from '../src/segment/types.ts';
import type { Encoding } from './format-encoding.ts';
import { columnsOfRecords } from './format-records.ts';

/** The default of `segment.flush`. */
const FLUSH_MS = 5000;

/** Any time will do; the first event of a recording has time 0. */
export const START_WALL_MS = 1_760_000_000_000;

/** A header as a laptop's has it: two screens, a consent receipt. */
export const HEADER: SegmentHeader = {
  formatVersion: 1,
  codec: 'raw',
  timeUnitMs: 1,
  segmentId: '0199c8f0-5c00-7abc-9def-0123456789ab',
  device: '6f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9',
  sequence: 1234,
  startWallMs: START_WALL_MS,
  originMonoMs: 0,
  zoneOffsetMinutes: 120,
  platform: 'linux-x64',
  backend: 'x11',
  coordinates: 'absolute',
  screens: [
    { x: 0, y: 0, width: 1920, height: 1080, scale: 1 },
    { x: 1920, y: 0, width: 2560, height: 1440, scale: 1.25 },
  ],
  redaction: 'shortcuts',
  policyId: '9f86d081884c7d65',
  receiptId: '0199c8f0-5c00-7abc-9def-ba9876543210',
  schemaVersion: 1,
  simulated: false,
};

/** Bytes of a sealed file beside its events. */
export function fixedBytes(): number {
  return sealSegment(encodeHeader(HEADER)).bytes.length;
}

/** A journal as the recorder writes it. */
export function journalOf(columns: EventColumns): Uint8Array {
  return Buffer.concat([encodeHeader(HEADER), ...journalFrames(columns)]);
}

/** A block holds what came in the 5 s after its first event. */
export function journalFrames(columns: EventColumns): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let from = 0; from < columns.count; ) {
    const endMs = (columns.t[from] ?? 0) + FLUSH_MS;
    let to = from + 1;
    while (to < columns.count && (columns.t[to] ?? 0) < endMs) to++;
    frames.push(encodeBlock(columns, from, to));
    from = to;
  }
  return frames;
}

/** Both stages, as the daemon does them: `quick` on battery, `smallest` on AC. */
export function sealedFile(columns: EventColumns, effort: SealEffort): Encoding {
  return {
    name: effort === 'quick' ? 'telemetryd .tlm' : 'telemetryd .tlm, sealed on AC',
    encode: () => sealSegment(journalOf(columns), effort).bytes,
    decode: (bytes) => {
      const segment = readSegment(bytes);
      return () => segment.columns;
    },
  };
}

/** The first stage. */
export function journal(columns: EventColumns): Encoding {
  return {
    name: '  journal, a block every 5 s',
    encode: () => journalOf(columns),
    decode: (bytes) => {
      const segment = readSegment(bytes);
      return () => segment.columns;
    },
  };
}

/** The second stage; decoded as far as JSON.parse goes, to an object for each event. */
export function sealing(columns: EventColumns): Encoding {
  const written = journalOf(columns);
  return {
    name: '  sealing; read as objects',
    encode: () => sealSegment(written).bytes,
    decode: (bytes) => {
      const records = [...eventRecords(readSegment(bytes))];
      return () => columnsOfRecords(records, START_WALL_MS);
    },
  };
}
