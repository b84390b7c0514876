import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { TelemetryError } from '../../src/core/errors.ts';
import { emptyColumns } from '../../src/core/events.ts';
import { encodeFrame } from '../../src/segment/frames.ts';
import { encodeHeader } from '../../src/segment/header.ts';
import { encodeFooter } from '../../src/segment/marks.ts';
import { countMixEvents, decodeMixBlock, encodeMixBlock } from '../../src/segment/mix-block.ts';
import { MILLISECONDS } from '../../src/segment/mix-clock.ts';
import { BitEncoder } from '../../src/segment/mix-coder.ts';
import { MixEvents } from '../../src/segment/mix-events.ts';
import { MixModel } from '../../src/segment/mix-model.ts';
import { readSegment } from '../../src/segment/read.ts';
import { sealSegment } from '../../src/segment/seal.ts';
import { ByteWriter } from '../../src/segment/varint.ts';
import { columnsOf, concat, deskRows, HEADER, hex, journalOf } from './samples.ts';

const MAX_MEMORY_BYTES = 64_000_000;
const mixed = encodeHeader({ ...HEADER, codec: 'columns-mix' });

/** A file with a block of each payload; its frames have right checksums, and its footer the right digest. */
function fileOf(...payloads: readonly Uint8Array[]): Uint8Array {
  const content = concat(mixed, ...payloads.map((payload) => encodeFrame(2, payload)));
  return concat(content, footerOf(createHash('sha256').update(content).digest()));
}

function footerOf(sha256: Uint8Array): Uint8Array {
  return encodeFooter({ events: 1, firstMonoMs: 0, lastMonoMs: 0, sha256 });
}

/** Moves that stand still, of which thousands go into a byte. */
function stillPayload(count: number): Uint8Array {
  return encodeMixBlock({ ...emptyColumns(count), count }) ?? new Uint8Array();
}

/** What an encoder without scruples makes: jumps from end to end, so that every number is a long walk. */
function tediousPayload(count: number): Uint8Array {
  const coder = new BitEncoder();
  const head = { count, start: { t: 0, x: 0, y: 0 }, clock: MILLISECONDS, palette: new Uint8Array() };
  const events = new MixEvents(new MixModel(coder), head);
  for (let i = 0; i < count; i++) {
    const far = i % 2 === 0 ? 2 ** 30 : -(2 ** 30);
    events.code({ t: i * 2 ** 28, kind: 0, x: far, y: far, a: 0, b: 0 });
  }
  const out = new ByteWriter();
  out.uvarint(count);
  out.append(hex('00 00 00 00 00'));
  out.append(coder.finish());
  return out.bytes();
}

const desk = encodeMixBlock(columnsOf(deskRows(300))) ?? new Uint8Array();
const random = new Uint8Array(80_000).map((_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24);

const LARGEST = 'as many events as the limit, and a footer that counts fewer';
const HOSTILE: Record<string, Uint8Array> = {
  'a claim of 2^53 - 1 events': fileOf(hex('ff ff ff ff ff ff ff 0f 00 00 00 00 00')),
  'more events than the limit': fileOf(concat(hex('81 89 7a 00 00 00 00 00'), random)),
  'more events than there are bytes for': fileOf(hex('ff ff 03 00 00 00 00 00 00 00 00 00')),
  'a start beyond 2^50': fileOf(hex('01 ff ff ff ff ff ff ff 0f 00 00 00 00 00')),
  'a start position beyond 32 bits': fileOf(hex('01 00 80 80 80 80 20 00 00 00 00')),
  'a clock that ticks too fast': fileOf(hex('01 00 00 00 ff ff 3f 00 00 00')),
  'a clock that ticks too rarely': fileOf(hex('01 00 00 00 81 80 80 80 04 00 00 00')),
  'a phase beyond the period': fileOf(hex('01 00 00 00 80 80 40 80 80 40 00 00')),
  'a palette of 5': fileOf(hex('01 00 00 00 00 05 01 02 03 04 05 00')),
  'a palette that is cut short': fileOf(hex('01 00 00 00 00 04 01')),
  'no payload': fileOf(new Uint8Array()),
  'a code that is cut short': fileOf(desk.subarray(0, desk.length - 8)),
  'a code that is longer than its events': fileOf(concat(desk, new Uint8Array(8))),
  'two blocks': fileOf(desk, desk),
  'a footer that counts fewer': fileOf(desk),
  'a digest that is wrong': concat(mixed, encodeFrame(2, desk), footerOf(new Uint8Array(32))),
  'events that take too long': fileOf(tediousPayload(5000)),
  'noise for a code, as many events as the limit': fileOf(concat(hex('80 89 7a 00 00 00 00 00'), random)),
  [LARGEST]: fileOf(stillPayload(2_000_000)),
};

const HEAVY = Object.keys(HOSTILE).filter((name) => /limit|long|claim/.test(name));

describe('a hostile file of mixed columns', () => {
  it.each(Object.keys(HOSTILE).filter((name) => name !== LARGEST))(
    'with %s gives one clear error',
    (name) => {
      const read = (): unknown => readSegment(HOSTILE[name] ?? new Uint8Array());
      expect(read).toThrow(TelemetryError);
      expect(read).toThrow(/^Not a sound segment file: [a-zA-Z0-9 ,.-]+\.$/);
    },
  );

  it('is stopped when it takes longer than any recording', () => {
    expect(() => readSegment(HOSTILE['events that take too long'] ?? new Uint8Array())).toThrow(
      /takes too long/,
    );
  });

  const folder = mkdtempSync(join(tmpdir(), 'telemetryd-hostile-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  it.each(HEAVY)('with %s takes less than 64 MB', { timeout: 30_000 }, (name) => {
    const file = join(folder, 'hostile.tlm');
    writeFileSync(file, HOSTILE[name] ?? '');
    const child = join(import.meta.dirname, 'hostile-child.ts');
    const result: unknown = JSON.parse(execFileSync(process.execPath, [child, file], { encoding: 'utf8' }));
    expect(result).toMatchObject({ outcome: expect.stringMatching(/^bad-segment: ./) as unknown });
    expect((result as { grownBytes: number }).grownBytes).toBeLessThan(MAX_MEMORY_BYTES);
  });

  it('may hold anything at all: its block gives events within all ranges or that error', () => {
    let state = 1;
    const below = (limit: number): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % limit;
    for (let run = 0; run < 1500; run++) {
      const changed = desk.slice(0, below(4) === 0 ? below(desk.length) : desk.length);
      for (let i = below(6); i >= 0; i--) changed[below(below(2) === 0 ? 20 : changed.length)] = below(256);
      try {
        const count = Math.min(countMixEvents(changed), 20_000);
        const columns = { ...emptyColumns(count), count };
        decodeMixBlock(changed, columns);
        expect(columns.t.every((t) => Number.isInteger(t) && Math.abs(t) <= 2 ** 50)).toBe(true);
        expect(columns.kind.every((kind) => kind <= 5)).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(TelemetryError);
      }
    }
  });
});

describe('a damaged file of mixed columns', () => {
  const sealed = sealSegment(journalOf(deskRows(90)), 'smallest').bytes;

  it('is an error, whichever bit is wrong', () => {
    expect(readSegment(sealed).header.codec).toBe('columns-mix');
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = sealed.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => readSegment(flipped), `bit ${bit}`).toThrow(/Not a sound segment file/);
    }
  });

  it('is an error, wherever it is cut', () => {
    for (let length = 0; length < sealed.length; length++) {
      expect(() => readSegment(sealed.subarray(0, length))).toThrow(/Not a sound segment file/);
    }
  });
});
