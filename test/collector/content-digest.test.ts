import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatContentDigest, parseContentDigest } from '../../src/collector/content-digest.ts';

const bytes32 = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex'));
/** RFC 9530 appendix D: the empty string. */
const EMPTY = 'sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:';
const EMPTY_HEX = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

describe('Content-Digest', () => {
  it('reads back every digest that it writes', () => {
    fc.assert(
      fc.property(bytes32, (sha256) => {
        expect(parseContentDigest(formatContentDigest(sha256))).toEqual({ kind: 'sha-256', sha256 });
      }),
    );
  });

  it.each([
    EMPTY,
    ` ${EMPTY} `,
    `sha-512=:YWJj:, ${EMPTY}`,
    `${EMPTY},\tsha-512=:YWJj:`,
    `md5=::,${EMPTY};note="a \\"b\\"";n=-1.5;ok`,
    `sha-256=:YWJj:, ${EMPTY}`,
    EMPTY.replace('=:', ':').replace('sha-256:', 'sha-256=:'),
  ])('finds sha-256 in %s', (field) => {
    expect(parseContentDigest(field)).toEqual({ kind: 'sha-256', sha256: EMPTY_HEX });
  });

  it.each([undefined, '', '  ', 'sha-512=:YWJj:', 'sha-512=:YWJj:, md5=:YWJj:'])(
    'finds none in %s',
    (field) => {
      expect(parseContentDigest(field)).toEqual({ kind: 'missing' });
    },
  );

  it.each([
    'sha-256',
    'sha-256=abc',
    'sha-256=:YWJj:',
    'SHA-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:',
    `${EMPTY},`,
    `${EMPTY} sha-512=:YWJj:`,
    `sha-512=1, ${EMPTY}`,
    'sha-256=:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=:',
    `${EMPTY};`,
  ])('calls %s malformed', (field) => {
    expect(parseContentDigest(field)).toEqual({ kind: 'malformed' });
  });

  it('reads any text without throwing and in time that grows with its length only', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseContentDigest(text)));
    expect(parseContentDigest(`a=::${';a=1'.repeat(4000)}!`)).toEqual({ kind: 'malformed' });
    expect(parseContentDigest(`a=:${'A='.repeat(8000)}:`)).toEqual({ kind: 'malformed' });
  });
});
