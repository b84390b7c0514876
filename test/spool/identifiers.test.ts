import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isUuid, randomUuid, timeOrderedUuid } from '../../src/spool/identifiers.ts';

test('pseudonyms are random UUIDs of version 4', () => {
  const first = randomUuid(randomBytes);
  expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(randomUuid(randomBytes)).not.toBe(first);
});

test('segment ids are as the example of RFC 9562, appendix A.6', () => {
  const random = Uint8Array.of(0, 0, 0, 0, 0, 0, 0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f);
  expect(timeOrderedUuid(0x017f22e279b0, () => random)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
});

test('segment ids sort by time', () => {
  const time = fc.integer({ min: 0, max: 2 ** 43 });
  fc.assert(
    fc.property(time, time, (a, b) => {
      fc.pre(a !== b);
      const [idA, idB] = [timeOrderedUuid(a, randomBytes), timeOrderedUuid(b, randomBytes)];
      expect(isUuid(idA)).toBe(true);
      expect(idA < idB).toBe(a < b);
    }),
  );
});

test('nothing that could leave a folder passes for a UUID', () => {
  for (const text of [
    '',
    '..',
    '../../etc/passwd',
    `${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}\n`,
    'A'.repeat(36),
  ]) {
    expect(isUuid(text)).toBe(false);
  }
});
