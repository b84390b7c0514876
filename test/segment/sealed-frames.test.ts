import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FRAME, nextFrame } from '../../src/segment/frames.ts';
import { encodeHeader } from '../../src/segment/header.ts';
import { readSegment } from '../../src/segment/read.ts';
import {
  FrameSealer,
  JOURNAL_KEY_BYTES,
  openJournal,
  wrappedKeyOf,
} from '../../src/segment/sealed-frames.ts';
import { HEADER, journalOf, type Row } from './samples.ts';

const KEY = randomBytes(JOURNAL_KEY_BYTES);
const WRAPPED = Uint8Array.of(1, 2, 3);
const ROWS: Row[] = [
  [1000, 0, 10, 20, 0, 0],
  [1008, 0, 12, 21, 0, 0],
  [1100, 1, 12, 21, 1, 0],
];

/** The frames of a plain journal, without magic and header. */
function framesOf(journal: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  let first = true;
  for (let frame = nextFrame(journal, 8); frame !== undefined; frame = nextFrame(journal, frame.end)) {
    if (!first) frames.push(journal.subarray(frame.offset, frame.end));
    first = false;
  }
  return frames;
}

function encrypted(
  plain: readonly Uint8Array[],
  key = KEY,
): { header: Uint8Array; frames: Uint8Array[]; bytes: Uint8Array } {
  const header = encodeHeader({ ...HEADER, codec: 'raw', wrappedKey: WRAPPED });
  const sealer = new FrameSealer(key, header);
  const frames = plain.map((frame) => sealer.seal(frame));
  return { header, frames, bytes: Buffer.concat([header, ...frames]) };
}

describe('an encrypted journal', () => {
  const plain = framesOf(journalOf(ROWS));

  it('reads, with its key, as the plain one', () => {
    const { bytes } = encrypted(plain);
    expect(wrappedKeyOf(bytes)).toEqual(WRAPPED);
    const { journal, tornBytes } = openJournal(bytes, KEY);
    expect(tornBytes).toBe(0);
    expect(readSegment(journal)).toEqual(readSegment(journalOf(ROWS)));
  });

  it('shows nothing of its frames without the key: not their bytes, and an error to who tries', () => {
    const { bytes } = encrypted(plain);
    for (const frame of plain) expect(Buffer.from(bytes).includes(Buffer.from(frame))).toBe(false);
    expect(() => readSegment(bytes)).toThrow(/encrypted/);
    expect(() => openJournal(bytes, randomBytes(JOURNAL_KEY_BYTES))).toThrow(/does not open/);
  });

  it('gives up what is whole when it is torn, at whatever byte', () => {
    const { header, frames, bytes } = encrypted(plain);
    for (let cut = header.length; cut <= bytes.length; cut++) {
      const { journal, tornBytes } = openJournal(bytes.subarray(0, cut), KEY);
      let whole = header.length;
      let count = 0;
      for (const frame of frames) {
        if (whole + frame.length > cut) break;
        whole += frame.length;
        count++;
      }
      expect(framesOf(journal)).toHaveLength(count);
      expect(tornBytes).toBe(cut - whole);
    }
  });

  it('does not open with a frame left out, doubled, moved, in plain, or under another header', () => {
    const { header, frames } = encrypted([...plain, ...plain]);
    const [a, b] = frames;
    if (a === undefined || b === undefined) throw new Error('too few frames');
    const join = (...parts: Uint8Array[]): Uint8Array => Buffer.concat(parts);
    expect(() => openJournal(join(header, b), KEY)).toThrow(/missing or out of place/);
    expect(() => openJournal(join(header, a, a), KEY)).toThrow(/missing or out of place/);
    expect(() => openJournal(join(header, b, a), KEY)).toThrow(/missing or out of place/);
    expect(() => openJournal(join(header, a, plain[0] ?? a), KEY)).toThrow(/not encrypted/);
    const other = encodeHeader({
      ...HEADER,
      codec: 'raw',
      sequence: HEADER.sequence + 1,
      wrappedKey: WRAPPED,
    });
    expect(() => openJournal(join(other, a), KEY)).toThrow(/does not open/);
  });

  it('does not open with any bit of a frame’s content changed, even under a right checksum', () => {
    const { header, frames } = encrypted(plain);
    const payload = nextFrame(frames[0] ?? new Uint8Array(), 0)?.payload ?? new Uint8Array();
    fc.assert(
      fc.property(fc.nat(payload.length * 8 - 1), (bit) => {
        const changed = payload.slice();
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const bytes = Buffer.concat([header, encodeFrame(FRAME.encrypted, changed)]);
        expect(() => openJournal(bytes, KEY)).toThrow(/does not open|out of place/);
      }),
    );
  });
});
