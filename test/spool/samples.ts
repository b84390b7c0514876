import { emptyColumns, KIND } from '../../src/core/events.ts';
import { encodeBlock } from '../../src/segment/block.ts';
import type { SegmentHeader } from '../../src/segment/types.ts';

/** 2026-07-01 08:00 UTC. */
export const START_WALL_MS = Date.UTC(2026, 6, 1, 8);
export const ORIGIN_MONO_MS = 5_000_000;

/** A valid id of version 7 for small numbers; a larger number sorts later. */
export function segmentId(n: number): string {
  return `0190a000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** A header of the n-th segment, one minute after the one before. */
export function sampleHeader(n = 1): SegmentHeader {
  return {
    formatVersion: 1,
    codec: 'raw',
    timeUnitMs: 1,
    segmentId: segmentId(n),
    device: '5a0f8d4e-6a3c-4e0e-9a0b-3d1f2c4b5a69',
    sequence: n,
    startWallMs: START_WALL_MS + n * 60_000,
    originMonoMs: ORIGIN_MONO_MS + n * 60_000,
    zoneOffsetMinutes: 120,
    platform: 'linux-x64',
    backend: 'x11',
    coordinates: 'absolute',
    screens: [{ x: 0, y: 0, width: 1920, height: 1080, scale: 1 }],
    redaction: 'shortcuts',
    policyId: '9f86d081884c7d659a2feaa0c55ad015',
    receiptId: '018f0000-0000-7000-8000-000000000001',
    schemaVersion: 1,
    simulated: false,
  };
}

/** A block of `count` moves, 10 ms apart, from `offsetMs` after the segment's start; `x` counts up from `firstX`. */
export function movesBlock(n: number, count: number, offsetMs = 0, firstX = 0): Uint8Array {
  const columns = { ...emptyColumns(count), count };
  for (let i = 0; i < count; i++) {
    columns.t[i] = ORIGIN_MONO_MS + n * 60_000 + offsetMs + i * 10;
    columns.kind[i] = KIND.move;
    columns.x[i] = firstX + i;
    columns.y[i] = 100;
  }
  return encodeBlock(columns, 0, count);
}
