import { createHash } from 'node:crypto';
import { brotliDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { encodeFrame, nextFrame } from '../../src/segment/frames.ts';
import { encodeClockSync, encodeGap, encodeLoss } from '../../src/segment/marks.ts';
import { readSegment } from '../../src/segment/read.ts';
import { sealSegment } from '../../src/segment/seal.ts';
import { asRead, concat, deskRows, HEADER, hex, journalOf, type Row, rowsOf } from './samples.ts';

const ROWS = deskRows(2000);
const gap = { kind: 'withheld', startMonoMs: 12_000, endMonoMs: 13_000 } as const;
const clock = { monoMs: 11_000, wallMs: 1_760_000_006_500 };
const journal = concat(
  journalOf(ROWS.slice(0, 700), ROWS.slice(700)),
  encodeGap(gap),
  encodeLoss({ thinned: 5, redacted: 10, dropped: 0 }),
  encodeClockSync(clock),
  encodeFrame(200, hex('01 02 03')),
  encodeLoss({ thinned: 1, redacted: 0, dropped: 2 }),
);

describe('sealing a journal', () => {
  it('keeps its events, gaps and clocks, and adds up its losses', () => {
    const sealed = readSegment(sealSegment(journal).bytes);
    expect(rowsOf(sealed.columns)).toEqual(asRead(ROWS));
    expect(sealed).toMatchObject({
      header: { ...HEADER, codec: 'columns-brotli' },
      gaps: [gap],
      clocks: [clock],
      loss: { thinned: 6, redacted: 10, dropped: 2 },
      footer: { events: 2000, firstMonoMs: ROWS[0]?.[0], lastMonoMs: ROWS.at(-1)?.[0] },
      tornBytes: 0,
    });
  });

  it('ends in a footer with the SHA-256 of all before it', () => {
    const { bytes, footer } = sealSegment(journal);
    let offset = 8;
    for (let frame = nextFrame(bytes, offset); frame && frame.type !== 3; frame = nextFrame(bytes, offset)) {
      offset = frame.end;
    }
    expect(nextFrame(bytes, offset)?.end).toBe(bytes.length);
    const digest = createHash('sha256').update(bytes.subarray(0, offset)).digest();
    expect(Buffer.from(footer.sha256)).toEqual(digest);
  });

  it('gives the same bytes every time', () => {
    expect(sealSegment(journal).bytes).toEqual(sealSegment(journal.slice()).bytes);
  });

  it('puts all events into one block that brotli alone opens', () => {
    const { bytes } = sealSegment(journal);
    const header = nextFrame(bytes, 8);
    const block = nextFrame(bytes, header?.end ?? 0);
    expect(block?.type).toBe(2);
    const payload = block?.payload ?? new Uint8Array();
    const body = brotliDecompressSync(payload.subarray(2));
    expect([(body.length & 127) | 128, body.length >> 7]).toEqual([...payload.subarray(0, 2)]);
    // Pairing, then a count of 2000.
    expect([...body.subarray(1, 3)]).toEqual([0xd0, 0x0f]);
  });

  it('takes what is whole of a torn one and says how much was not', () => {
    const sealed = sealSegment(concat(journal, hex('02 50 00 00')));
    expect(sealed.tornBytes).toBe(4);
    expect(sealed.bytes).toEqual(sealSegment(journal).bytes);
  });

  it('works without any event', () => {
    const sealed = readSegment(sealSegment(journalOf()).bytes);
    expect(sealed.columns.count).toBe(0);
    expect(sealed.footer).toMatchObject({ events: 0, firstMonoMs: 0, lastMonoMs: 0 });
  });

  it('refuses a sealed file: its codec is chosen once', () => {
    expect(() => sealSegment(sealSegment(journal).bytes)).toThrow(/never coded again/);
  });

  it('places keys where the pointer was, across the blocks of the journal', () => {
    const move: Row = [10, 0, 40, 50, 0, 0];
    const key: Row = [20, 4, 0, 0, 0, 0];
    const blocks = journalOf([move], [key]);
    expect(rowsOf(readSegment(blocks).columns)[1]).toEqual([20, 4, 40, 50, 0, 0]);
    expect(rowsOf(readSegment(sealSegment(blocks).bytes).columns)[1]).toEqual([20, 4, 40, 50, 0, 0]);
  });
});
