import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatSize, parseSize } from '../../src/core/size.ts';

describe('sizes', () => {
  test('are read in decimal and binary units', () => {
    const sizes = {
      '0B': 0,
      '512MB': 512e6,
      '1.5GB': 1.5e9,
      '64MiB': 67_108_864,
      '256 KB': 256_000,
      '1KiB': 1024,
    };
    for (const [text, bytes] of Object.entries(sizes)) expect(parseSize(text)).toBe(bytes);
  });

  test('are refused when they are no whole number of bytes, or no size', () => {
    for (const text of ['', '12', '1.5B', '-1MB', '1mb', '1 M B', '1e3KB', 'MB', '999999999999TB', '1MB ']) {
      expect(parseSize(text)).toBeUndefined();
    }
  });

  test('are printed so that they read back exactly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e11 }), (bytes) => parseSize(formatSize(bytes)) === bytes),
    );
    expect(formatSize(512e6)).toBe('512MB');
    expect(formatSize(8 * 1024 * 1024)).toBe('8MiB');
  });
});
