import { MOD, packKeyDetail } from '../../src/core/events.ts';
import { keyId } from '../../src/core/keys.ts';
import { encodeBlock } from '../../src/segment/block.ts';
import { encodeHeader } from '../../src/segment/header.ts';
import { encodeGap, encodeLoss } from '../../src/segment/marks.ts';
import { sealSegment } from '../../src/segment/seal.ts';
import type { SegmentHeader } from '../../src/segment/types.ts';

export const SEGMENT_ID = '019ab4c2-7c00-7000-8000-000000000001';

/** A journal with a move, a click, a wheel notch, Ctrl+C and a masked key, a gap and losses. */
export function journal(segmentId = SEGMENT_ID, more: Partial<SegmentHeader> = {}): Uint8Array {
  const header = encodeHeader({
    formatVersion: 1,
    codec: 'raw',
    timeUnitMs: 1,
    segmentId,
    device: '6f1c0a53-0c7e-4c3e-9a55-5d0f6f3f2b10',
    sequence: 12,
    startWallMs: Date.parse('2026-11-24T13:00:00.000Z'),
    originMonoMs: 1000,
    zoneOffsetMinutes: 0,
    platform: 'linux-x64',
    backend: 'x11',
    coordinates: 'absolute',
    screens: [{ x: 0, y: 0, width: 1920, height: 1080, scale: 1 }],
    redaction: 'shortcuts',
    policyId: '5e6f7a8b9c0d1e2f',
    receiptId: '019ab4c2-0000-7000-8000-000000000002',
    schemaVersion: 1,
    simulated: false,
    ...more,
  });
  const block = encodeBlock(
    {
      count: 6,
      t: Float64Array.of(2000, 3000, 3050, 4000, 5000, 62_000),
      kind: Uint8Array.of(0, 1, 2, 3, 4, 4),
      x: Int32Array.of(100, 100, 100, 100, 100, 100),
      y: Int32Array.of(200, 200, 200, 200, 200, 200),
      a: Int32Array.of(0, 1, 1, 0, keyId('KeyC'), 0),
      b: Int32Array.of(0, 0, 0, 1, packKeyDetail('text', false, MOD.ctrl), packKeyDetail('text', false, 0)),
    },
    0,
    6,
  );
  const gap = encodeGap({ kind: 'withheld', startMonoMs: 6000, endMonoMs: 36_000 });
  const loss = encodeLoss({ thinned: 7, redacted: 1, dropped: 0 });
  return Buffer.concat([header, block, gap, loss]);
}

/** {@link journal}, sealed. */
export function sealed(segmentId = SEGMENT_ID, more: Partial<SegmentHeader> = {}): Uint8Array {
  return sealSegment(journal(segmentId, more)).bytes;
}
