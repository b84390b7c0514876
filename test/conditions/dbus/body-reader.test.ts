import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BodyReader } from '../../../src/conditions/dbus/body-reader.ts';
import { decodeMessage } from '../../../src/conditions/dbus/message.ts';
import type { BusValue } from '../../../src/conditions/dbus/values.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

/** Written down by hand after the specification's section on marshalling. */
const VALUES: readonly (readonly [string, string, BusValue, ('big-endian' | undefined)?])[] = [
  ['y', '07', 7],
  ['b', '01000000', true],
  ['n', 'feff', -2],
  ['u', 'ffffffff', 4_294_967_295],
  ['i', 'ffffffff', -1],
  ['x', 'feffffffffffffff', -2],
  ['t', '0001000000000000', 256],
  ['d', '000000000000f83f', 1.5],
  ['s', '03000000 666f6f 00', 'foo'],
  ['o', '02000000 2f61 00', '/a'],
  ['g', '02 7361 00', 'sa'],
  ['v', '01 75 00 00 05000000', 5],
  ['ay', '02000000 ff fe', Uint8Array.of(255, 254)],
  ['au', '08000000 01000000 02000000', [1, 2]],
  ['as', '00000000', []],
  ['(yu)', '01 000000 02000000', [1, 2]],
  ['at', '08000000 00000000 0100000000000000', [1]],
  ['a{sv}', '10000000 00000000 01000000 61 00 01 62 00 000000 01000000', new Map([['a', true]])],
  ['u', '00000001', 1, 'big-endian'],
  ['s', '00000001 61 00', 'a', 'big-endian'],
];

describe('a body', () => {
  it.each(VALUES.map(([signature, hex, value, order]) => ({ signature, hex, value, order })))(
    'of $signature reads $hex as $value',
    ({ signature, hex, value, order }) => {
      expect(new BodyReader(bytes(hex), order === undefined).values(signature)).toEqual([value]);
    },
  );

  it.each([
    ['a string longer than the message', 's', 'ff000000 61'],
    ['an array longer than the message', 'au', 'ff000000 01000000'],
    ['a variant of two types', 'v', '02 7575 00 01000000 02000000'],
    ['a variant of none', 'v', '00 00'],
    ['a signature that stops', 'v', '02 2875 00 01000000'],
    ['a type that does not exist', 'v', '01 7a 00'],
    ['variants in each other without end', 'v', '01 76 00'.repeat(200)],
    ['an array of nothings', 'v', '03 612829 00 000000 08000000 00000000 0000000000000000'],
    ['a dictionary entry of three', 'v', '06 617b7575757d 00 00000000'],
  ])('is refused for %s', (_name, signature, hex) => {
    expect(() => new BodyReader(bytes(hex), true).values(signature)).toThrow(RangeError);
  });
});

describe('a message', () => {
  it('of whatever bytes is read or refused, and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(0x6c, 0x42), (tail, order) => {
        try {
          decodeMessage(Uint8Array.of(order, 4, 0, 1, ...tail));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
