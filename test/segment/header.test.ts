import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { decodeHeader, encodeHeader } from '../../src/segment/header.ts';
import { bytesOfId, idOfBytes } from '../../src/segment/id-bytes.ts';
import type { SegmentHeader } from '../../src/segment/types.ts';
import { HEADER, hex } from './samples.ts';

const payloadOf = (header: SegmentHeader): Uint8Array => {
  const bytes = encodeHeader(header);
  // Magic, type, two bytes of length for more than 127; four bytes of checksum.
  return bytes.subarray(8 + 3, bytes.length - 4);
};
const packr = new Packr({ useRecords: false, variableMapSize: true });
const mapOf = (changes: object): Uint8Array =>
  packr.pack({ ...(packr.unpack(payloadOf(HEADER)) as object), ...changes });

describe('the header', () => {
  it('comes back as it was written', () => {
    const other: SegmentHeader = {
      ...HEADER,
      codec: 'columns-brotli',
      device: 'not a uuid',
      receiptId: 'c0ffee00-0000-4000-8000-000000000002',
      originMonoMs: 1234.5678,
      coordinates: 'relative',
      screens: [],
      redaction: 'full',
      simulated: true,
      ledgerHead: 'ab'.repeat(32),
    };
    for (const header of [HEADER, other]) expect(decodeHeader(payloadOf(header))).toEqual(header);
  });

  it('is a MessagePack map that says its version first', () => {
    // A map of 17, the text "v", 1.
    expect(new Uint8Array(payloadOf(HEADER).subarray(0, 6))).toEqual(hex('de 00 11 a1 76 01'));
    expect(packr.unpack(payloadOf(HEADER))).toMatchObject({
      v: 1,
      codec: 'raw',
      seq: 7,
      wall: 1_760_000_000_000,
    });
  });

  it('ignores keys of a later version that changes nothing else', () => {
    expect(decodeHeader(mapOf({ weather: 'fine' }))).toEqual(HEADER);
  });

  it.each([
    ['a later format version', { v: 2 }],
    ['an unknown codec', { codec: 'gzip' }],
    ['another unit of time', { unit: 0.001 }],
    ['a negative sequence number', { seq: -1 }],
    ['a start beyond 2^50', { wall: 2 ** 53 }],
    ['a start that is no number', { wall: 'now' }],
    ['no id', { id: undefined }],
    ['half a screen', { scr: [[0, 0, 1920]] }],
    ['a thousand screens', { scr: Array.from({ length: 1000 }, () => [0, 0, 1, 1, 1]) }],
    ['half a ledger head', { led: new Uint8Array(16) }],
    ['a ledger head in words', { led: 'genesis' }],
    ['an unknown key mode', { keys: 'everything' }],
  ])('with %s is refused', (_, changes) => {
    expect(() => decodeHeader(mapOf(changes))).toThrow(/Not a sound segment file/);
  });

  it.each([
    ['a list that claims four thousand million items', 'dd ff ff ff ff'],
    ['a map that claims more than is there', 'df 00 ff ff ff 01'],
    ['lists in lists', '91 91 91 91 91 91 91 01'],
    ['an extension type', '81 a1 76 d4 72 40'],
    ['a text that ends early', '81 a1 76 d9 40 61'],
    ['bytes after the map', '80 00'],
    ['a number alone', '01'],
    ['nothing', ''],
  ])('of %s is refused before it costs memory', (_, bytes) => {
    expect(() => decodeHeader(hex(bytes))).toThrow(/Not a sound segment file/);
  });
});

describe('ids in the header', () => {
  it.each([
    ['0192a000-0000-7000-8000-0000000000aa', 16],
    ['0123456789abcdef', 8],
  ])('that are hexadecimal, as %s, take half the bytes', (id, size) => {
    const bytes = bytesOfId(id);
    expect(bytes).toHaveLength(size);
    expect(idOfBytes(bytes as Uint8Array)).toBe(id);
  });

  it.each([
    '',
    'laptop-7',
    '0192A000-0000-7000-8000-0000000000AA',
    'abc',
    '0123456789abcdef0123456789abcdef',
  ])('that would not come back the same, as "%s", stay text', (id) => {
    expect(bytesOfId(id)).toBe(id);
  });
});
