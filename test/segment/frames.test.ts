import { describe, expect, it } from 'vitest';
import { crc32c } from '../../src/segment/crc32c.ts';
import { encodeFrame, hasMagic, MAGIC, nextFrame } from '../../src/segment/frames.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The definition, bit by bit, without tables. */
function slowCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

describe('CRC-32C', () => {
  it('gives the check values of RFC 3720', () => {
    expect(crc32c(ascii('123456789'))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  });

  it('agrees with the definition for every length and offset around its step of 8', () => {
    const bytes = Uint8Array.from({ length: 40 }, (_, i) => (i * 89 + 13) & 255);
    for (let start = 0; start < 9; start++) {
      for (let end = start; end <= bytes.length; end++) {
        expect(crc32c(bytes, start, end)).toBe(slowCrc(bytes.subarray(start, end)));
      }
    }
  });
});

describe('frames', () => {
  it('are type, length, payload and CRC-32C of the three, little end first', () => {
    const crc = slowCrc(Uint8Array.of(4, 2, 0xaa, 0xbb));
    const expected = [4, 2, 0xaa, 0xbb, crc & 255, (crc >> 8) & 255, (crc >> 16) & 255, crc >>> 24];
    expect([...encodeFrame(4, Uint8Array.of(0xaa, 0xbb))]).toEqual(expected);
    expect([...encodeFrame(9, new Uint8Array(300)).subarray(0, 3)]).toEqual([9, 0xac, 0x02]);
  });

  it('are found one after the other, unknown types too, until the first that is torn', () => {
    const frames = [
      encodeFrame(2, ascii('one')),
      encodeFrame(200, ascii('unknown')),
      encodeFrame(4, ascii('three')),
    ];
    const bytes = new Uint8Array(Buffer.concat(frames));
    const cut = bytes.subarray(0, bytes.length - 1);
    const found: string[] = [];
    let offset = 0;
    for (let frame = nextFrame(cut, 0); frame; frame = nextFrame(cut, offset)) {
      found.push(`${frame.type}:${new TextDecoder().decode(frame.payload)}`);
      offset = frame.end;
    }
    expect(found).toEqual(['2:one', '200:unknown']);
    expect(offset).toBe(bytes.length - (frames[2]?.length ?? 0));
  });

  it('are not found when any one bit of them is wrong', () => {
    const frame = encodeFrame(6, ascii('twelve bytes'));
    for (let bit = 0; bit < frame.length * 8; bit++) {
      const flipped = frame.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(nextFrame(flipped, 0)).toBeUndefined();
    }
  });

  it('are not looked for beyond the end when a length lies', () => {
    expect(nextFrame(Uint8Array.of(2, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3, 4, 5), 0)).toBeUndefined();
    expect(nextFrame(Uint8Array.of(2, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), 0)).toBeUndefined();
    expect(nextFrame(new Uint8Array(), 0)).toBeUndefined();
  });

  it('begin after eight bytes that a changed line end or a lost high bit would break', () => {
    expect([...MAGIC]).toEqual([0x89, 0x54, 0x4c, 0x4d, 0x0d, 0x0a, 0x1a, 0x0a]);
    expect(hasMagic(MAGIC)).toBe(true);
    expect(hasMagic(MAGIC.subarray(0, 7))).toBe(false);
    expect(hasMagic(new TextEncoder().encode('\x09TLM\n\x1a\n'))).toBe(false);
  });
});
