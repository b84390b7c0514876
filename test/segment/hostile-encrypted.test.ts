import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { encryptFor, newIdentity } from '../../src/segment/age-file.ts';
import { encodeFrame } from '../../src/segment/frames.ts';
import { encodeHeader } from '../../src/segment/header.ts';
import { encodeFooter } from '../../src/segment/marks.ts';
import { openSegment } from '../../src/segment/open-segment.ts';
import { FrameSealer, openJournal } from '../../src/segment/sealed-frames.ts';
import { concat, HEADER } from './samples.ts';

const MAX_MEMORY_BYTES = 64_000_000;
const AGE = 'age-encryption.org/v1\n';
const owner = await newIdentity();
const recipients = [owner.recipient];
const key = new Uint8Array(32).fill(7);

/** A block of `count` moves that all stand still at time 0, of two bytes an event. */
function stillBlock(count: number): Uint8Array {
  const half = (count + 1) >> 1;
  const head = Uint8Array.of(0, ...varint(count), 0, 0, 0, 1, 0, ...varint(count));
  return encodeFrame(
    2,
    concat(head, new Uint8Array(count), Uint8Array.from(varint(half)), new Uint8Array(half + 6)),
  );
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
}

async function encryptedJournal(frames: readonly Uint8Array[], wrapped?: Uint8Array): Promise<Uint8Array> {
  const header = encodeHeader({
    ...HEADER,
    wrappedKey: wrapped ?? (await encryptFor(recipients, key)),
  });
  const sealer = new FrameSealer(key, header);
  return concat(header, ...frames.map((frame) => sealer.seal(frame)));
}

const bomb = concat(
  encodeHeader({ ...HEADER, codec: 'columns-brotli' }),
  encodeFrame(2, concat(Uint8Array.of(16), brotliCompressSync(new Uint8Array(2 ** 28)))),
);
const raw = encodeHeader(HEADER);
const mostBlocks = Array.from({ length: 100 }, () => stillBlock(20_000));

/** As many events as the limit, under a footer that says one fewer. */
function mostEvents(sha256: Uint8Array): Uint8Array[] {
  return [...mostBlocks, encodeFooter({ events: 1_999_999, firstMonoMs: 0, lastMonoMs: 0, sha256 })];
}

const digest = createHash('sha256')
  .update(concat(raw, ...mostBlocks))
  .digest();
const text = (words: string): Uint8Array => Buffer.from(words);
const stanza = `-> X25519 ${'A'.repeat(42)}Q\n${'A'.repeat(43)}\n`;
const scrypt = (factor: number): string => `-> scrypt ${'A'.repeat(22)} ${factor}\n${'A'.repeat(43)}\n`;
const mac = `--- ${'A'.repeat(43)}\n`;
const payload = new Uint8Array(1000);

type Made = () => Uint8Array | Promise<Uint8Array>;

/** Refused before much was done. */
const CLUMSY: Record<string, Made> = {
  'an age header without end': () => text(AGE + 'x'.repeat(5_000_000)),
  'stanzas without end': () => text(AGE + stanza.repeat(50_000)),
  'a stanza whose body has no end': () =>
    concat(text(`${AGE}-> X25519 A\n${`${'A'.repeat(64)}\n`.repeat(900)}${mac}`), payload),
  'a password of 2^63 rounds': () => concat(text(AGE + scrypt(63) + mac), payload),
  'more content than any segment has': () => encryptFor(recipients, new Uint8Array(13_000_000)),
  'a journal key that is a large file': async () =>
    encryptedJournal([], await encryptFor(recipients, new Uint8Array(100_000))),
  'a journal key under a password': () => encryptedJournal([], concat(text(AGE + scrypt(30) + mac), payload)),
};

/** Taken as far as it goes. */
const HEAVY: Record<string, Made> = {
  'as many stanzas as a header may have': () => concat(text(AGE + stanza.repeat(650) + mac), payload),
  'as much content as may be, which is no segment': () =>
    encryptFor(recipients, new Uint8Array(12 * 1024 * 1024)),
  'a bomb inside': () => encryptFor(recipients, bomb),
  'as many events as the limit inside, and a digest that is wrong': () =>
    encryptFor(recipients, concat(raw, ...mostEvents(new Uint8Array(32)))),
  'as many events as the limit inside, and a footer that counts fewer': () =>
    encryptFor(recipients, concat(raw, ...mostEvents(digest))),
  'as many events as the limit in a journal, and a footer that counts fewer': () =>
    encryptedJournal(mostEvents(digest)),
  'many large frames in a journal, and one that is wrong': () =>
    encryptedJournal([
      ...Array.from({ length: 4000 }, () => encodeFrame(200, new Uint8Array(2000))),
      encodeFrame(2, Uint8Array.of(9)),
    ]),
};

describe('a hostile encrypted file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'telemetryd-hostile-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(Object.keys(CLUMSY))('with %s gives one clear error', async (name) => {
    const bytes = (await CLUMSY[name]?.()) ?? new Uint8Array();
    const opening = openSegment(bytes, { identities: [owner.identity] });
    await expect(opening).rejects.toMatchObject({
      code: expect.stringMatching(/^(bad-segment|not-permitted)$/) as unknown,
    });
  });

  it.each(Object.keys(HEAVY))('with %s gives one and takes less than 64 MB', async (name) => {
    const file = join(folder, 'hostile.tlm.age');
    writeFileSync(file, (await HEAVY[name]?.()) ?? '');
    const child = join(import.meta.dirname, 'hostile-child.ts');
    const out = execFileSync(process.execPath, [child, file, owner.identity], { encoding: 'utf8' });
    const { outcome, grownBytes } = JSON.parse(out) as {
      outcome: string;
      grownBytes: number;
    };
    expect(outcome).toMatch(/^(bad-segment|not-permitted): ./);
    expect(grownBytes).toBeLessThan(MAX_MEMORY_BYTES);
  });

  it('with more frames than the limit is not decrypted beyond it', async () => {
    const journal = await encryptedJournal(Array.from({ length: 4 }, () => stillBlock(1)));
    expect(openJournal(journal, key, 4).tornBytes).toBe(0);
    expect(() => openJournal(journal, key, 3)).toThrow(/too many frames/);
  });
});
