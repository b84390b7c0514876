import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { TelemetryError } from '../../src/core/errors.ts';
import { encodeFrame } from '../../src/segment/frames.ts';
import { encodeHeader } from '../../src/segment/header.ts';
import { encodeClockSync, encodeFooter } from '../../src/segment/marks.ts';
import { readSegment } from '../../src/segment/read.ts';
import { concat, HEADER, hex, journalOf } from './samples.ts';

const MAX_MEMORY_BYTES = 64_000_000;
const raw = encodeHeader(HEADER);
const sealed = encodeHeader({ ...HEADER, codec: 'columns-brotli' });
const block = (body: Uint8Array): Uint8Array => encodeFrame(2, body);
const brotli = (bytes: Uint8Array): Uint8Array =>
  brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_LGWIN]: 24 },
  });

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | (rest >= 128 ? 128 : 0));
    if (rest < 128) return bytes;
  }
}

/** Columns that are right as far as they go: `count` moves, all still, all at time 0. */
function stillBody(count: number): Uint8Array {
  const head = [0, ...varint(count), 0, 0, 0, 1, 0, ...varint(count)];
  const times = varint((count + 1) >> 1);
  const body = new Uint8Array(head.length + count + times.length + ((count + 1) >> 1) + 6);
  body.set(head);
  body.set(times, head.length + count);
  return body;
}

/** The parts and a footer of the right digest, which says one event. */
function ended(...parts: readonly Uint8Array[]): Uint8Array {
  const content = concat(...parts);
  return concat(content, footerOf(createHash('sha256').update(content).digest()));
}

function footerOf(sha256: Uint8Array): Uint8Array {
  return encodeFooter({ events: 1, firstMonoMs: 0, lastMonoMs: 0, sha256 });
}

/** Every frame below has a right checksum: whoever made these files knew how. */
const HOSTILE: Record<string, Uint8Array> = {
  'a block that claims 2^53 - 1 events': concat(raw, block(hex('00 ff ff ff ff ff ff ff 0f 00 00 00 00'))),
  'a block whose count is not that of its bytes': concat(
    raw,
    block(hex('00 02 00 00 00 01 00 01 00 01 00 000000000000')),
  ),
  'a stream longer than its block': concat(raw, block(hex('00 01 00 00 00 00 ff ff ff 7f 00'))),
  'a count of more than 53 bits': concat(raw, block(hex('00 ff ff ff ff ff ff ff ff ff 01'))),
  'a start time beyond 2^50': concat(
    raw,
    block(hex('00 00 ff ff ff ff ff ff ff 0f 00 00 00 0000000000000000')),
  ),
  'a start position beyond 32 bits': concat(
    raw,
    block(hex('00 00 00 80 80 80 80 20 00 00 0000000000000000')),
  ),
  'a position that leaves 32 bits': concat(
    raw,
    block(hex('00 01 00 fe ff ff ff 0f 00 01 00 01 20 01 00 000000000000')),
  ),
  'a time that leaves 2^50': concat(
    raw,
    block(
      hex(
        '00 02 fe ff ff ff ff ff ff 03 00 00 00 02 00 00 01 ff 02 ff ff 00 00 00 00 08 fe ff ff ff ff ff ff 0f',
      ),
    ),
  ),
  'a palette of 16': concat(raw, block(hex('00 00 00 00 00 10', '00'.repeat(24)))),
  'a time step that its palette does not have': concat(
    raw,
    block(hex('00 01 00 00 00 01 00 01 00 01 10 000000000000')),
  ),
  'an unknown code': concat(raw, block(hex('00 01 00 00 00 00 01 fe 01 00 000000000000'))),
  'an unknown kind among the details': concat(
    raw,
    block(hex('00 01 00 00 00 01 00 01 f6 01 00 00 00 00 00 03 07 00 00 00')),
  ),
  'details without an end': concat(raw, block(hex('00 01 00 00 00 01 00 01 f6 01 00 00 00 00 00 01 03 00'))),
  'bytes after the last event': concat(raw, block(hex('00 00 00 00 00 00 00 00 00 00 00 00 00 01 07'))),
  'an unknown pairing': concat(raw, block(hex('02 00 00 00 00 00 0000000000000000'))),
  'an empty block': concat(raw, block(new Uint8Array())),
  'a second header': concat(raw, raw.subarray(8)),
  'a header of the wrong type': concat(raw.subarray(0, 8), block(stillBody(1))),
  'a footer with another digest': concat(journalOf([[0, 0, 0, 0, 0, 0]]), footerOf(new Uint8Array(32))),
  'a block that is not brotli': ended(sealed, block(hex('10 ff ff ff ff'))),
  'two blocks in a sealed file': ended(
    sealed,
    block(concat(Uint8Array.from(varint(stillBody(1).length)), brotli(stillBody(1)))),
    block(concat(Uint8Array.from(varint(stillBody(1).length)), brotli(stillBody(1)))),
  ),
  'a bomb that says its size': concat(
    sealed,
    block(concat(hex('ff ff ff 7f'), brotli(new Uint8Array(2 ** 28 - 1)))),
  ),
  'a bomb that says it is small': concat(sealed, block(concat(hex('10'), brotli(new Uint8Array(2 ** 28))))),
  'a bomb just under the limits of size': ended(
    sealed,
    block(concat(Uint8Array.from(varint(10_000_000)), brotli(new Uint8Array(10_000_000)))),
  ),
  'more events than the limit': concat(raw, block(stillBody(2_000_001))),
  'as many events as the limit, and a footer that counts fewer': ended(
    sealed,
    block(concat(Uint8Array.from(varint(stillBody(2_000_000).length)), brotli(stillBody(2_000_000)))),
  ),
  'more frames than the limit': concat(
    raw,
    ...Array.from({ length: 50_001 }, () => encodeFrame(200, new Uint8Array())),
  ),
  'as many clock frames as the limit, then one that is wrong': concat(
    raw,
    ...Array.from({ length: 49_999 }, (_, i) => encodeClockSync({ monoMs: i, wallMs: 2 ** 42 + i * i })),
    encodeFrame(6, new Uint8Array(9)),
  ),
  'as many small blocks as the limit, then one that is wrong': concat(
    raw,
    ...Array.from({ length: 49_999 }, () => block(stillBody(39))),
    block(hex('09')),
  ),
};

const HEAVY = Object.keys(HOSTILE).filter((name) => /bomb|limit|claims/.test(name));

describe('a hostile file', () => {
  it.each(Object.keys(HOSTILE))('with %s gives one clear error', (name) => {
    const read = (): unknown => readSegment(HOSTILE[name] ?? new Uint8Array());
    expect(read).toThrow(TelemetryError);
    expect(read).toThrow(/^Not a sound segment file: [a-zA-Z0-9 ,.-]+\.$/);
  });

  const folder = mkdtempSync(join(tmpdir(), 'telemetryd-hostile-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  it.each(HEAVY)('with %s takes less than 64 MB', { timeout: 20_000 }, (name) => {
    const file = join(folder, 'hostile.tlm');
    writeFileSync(file, HOSTILE[name] ?? '');
    const child = join(import.meta.dirname, 'hostile-child.ts');
    const result: unknown = JSON.parse(execFileSync(process.execPath, [child, file], { encoding: 'utf8' }));
    expect(result).toMatchObject({ outcome: expect.stringMatching(/^bad-segment: ./) as unknown });
    expect((result as { grownBytes: number }).grownBytes).toBeLessThan(MAX_MEMORY_BYTES);
  });

  it('may be anything at all: reading gives a segment or that error', () => {
    let state = 1;
    const random = (below: number): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % below;
    const body = stillBody(40);
    for (let run = 0; run < 3000; run++) {
      const changed = body.slice();
      for (let i = 0; i <= random(6); i++) changed[random(changed.length)] = random(256);
      const cut = changed.subarray(0, random(4) === 0 ? random(changed.length) : changed.length);
      try {
        readSegment(concat(raw, block(cut)));
      } catch (error) {
        expect(error).toBeInstanceOf(TelemetryError);
      }
    }
  });
});
