import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, MAX_INTEGER } from '../../src/segment/varint.ts';

const written = (write: (writer: ByteWriter) => void): number[] => {
  const writer = new ByteWriter();
  write(writer);
  return [...writer.bytes()];
};

describe('varints', () => {
  it.each<[number, number[]]>([
    [0, [0x00]],
    [127, [0x7f]],
    [128, [0x80, 0x01]],
    [300, [0xac, 0x02]],
    [2 ** 32, [0x80, 0x80, 0x80, 0x80, 0x10]],
    [2 ** 53 - 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])('writes %d as LEB128 and reads it back', (value, bytes) => {
    expect(written((writer) => writer.uvarint(value))).toEqual(bytes);
    expect(new ByteReader(Uint8Array.from(bytes)).uvarint()).toBe(value);
  });

  it.each<[number, number[]]>([
    [0, [0]],
    [-1, [1]],
    [1, [2]],
    [-64, [127]],
    [64, [128, 1]],
  ])('writes %d as zigzag, so that its sign costs no byte', (value, bytes) => {
    expect(written((writer) => writer.zigzag(value))).toEqual(bytes);
    expect(new ByteReader(Uint8Array.from(bytes)).zigzag()).toBe(value);
  });

  it('gives back every whole number within the limit', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeInteger().map((n) => Math.trunc(n / 8))), (values) => {
        const bytes = written((writer) => values.forEach((value) => writer.zigzag(value)));
        const reader = new ByteReader(Uint8Array.from(bytes));
        expect(values.map(() => reader.zigzag())).toEqual(values.map((value) => value + 0));
        reader.end();
      }),
    );
    expect(MAX_INTEGER).toBe(2 ** 50);
  });

  it.each([
    ['an end inside a number', [0x80]],
    ['nothing at all', []],
    ['more than 2^53 - 1', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x10]],
    ['a ninth byte', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]],
  ])('refuses %s', (_, bytes) => {
    expect(() => new ByteReader(Uint8Array.from(bytes)).uvarint()).toThrow(/Not a sound segment file/);
  });

  it('refuses a length that is larger than what is left', () => {
    expect(() => new ByteReader(Uint8Array.of(3, 0, 0)).length()).toThrow(/length is larger/);
    expect(new ByteReader(Uint8Array.of(2, 0, 0)).length()).toBe(2);
  });
});
