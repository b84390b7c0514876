import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HookClock } from '../../src/capture/child/hook-clock.ts';
import { findCookie } from '../../src/capture/child/x11/x-authority.ts';
import { parseDisplay, readSetupReply } from '../../src/capture/child/x11/x-setup.ts';

describe('DISPLAY', () => {
  test('local displays have their number, with or without a screen', () => {
    for (const name of [':7', ':7.0', 'unix:7']) expect(parseDisplay(name)).toEqual({ number: '7' });
  });

  test('another host is forwarded, even one that is called localhost', () => {
    for (const name of ['localhost:10.0', '10.1.2.3:0', '[::1]:0'])
      expect(parseDisplay(name)).toBe('forwarded');
    for (const name of ['7', ':', ':x', '']) expect(parseDisplay(name)).toBe('malformed');
  });
});

describe('the Xauthority file', () => {
  const cookie = Buffer.from('secret cookie 16');
  const entry = (
    family: number,
    host: string,
    number: string,
    name = 'MIT-MAGIC-COOKIE-1',
    data = cookie,
  ): Buffer => {
    const fields = [host, number, name, data].map((value) => {
      const bytes = Buffer.from(value);
      return Buffer.concat([Buffer.from([0, bytes.length]), bytes]);
    });
    return Buffer.concat([Buffer.from([family >> 8, family & 255]), ...fields]);
  };

  test('gives the cookie of this host and display, or of any', () => {
    const other = Buffer.from('other cookie 016');
    const others = [
      entry(256, 'elsewhere', '0', undefined, other),
      entry(256, 'here', '1', undefined, other),
    ];
    expect(findCookie(Buffer.concat([...others, entry(256, 'here', '0')]), 'here', '0')).toEqual(cookie);
    expect(findCookie(Buffer.concat([...others, entry(65535, '', '')]), 'here', '0')).toEqual(cookie);
    expect(
      findCookie(Buffer.concat([...others, entry(256, 'here', '0', 'XDM-AUTHORIZATION-1')]), 'here', '0'),
    ).toBe(undefined);
  });

  test('whatever is in the file, reading it ends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        findCookie(bytes, 'here', '0');
      }),
    );
  });

  test('a torn file has no cookie', () => {
    const whole = entry(256, 'here', '0');
    for (let length = 0; length < whole.length; length++) {
      expect(findCookie(whole.subarray(0, length), 'here', '0')).toBe(undefined);
    }
  });
});

describe('the setup reply of an X server', () => {
  test('a reply that is too short is not one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 60 }), (bytes) => {
        const reply = readSetupReply(Uint8Array.of(1, ...bytes));
        expect(reply === undefined || reply.type === 'accepted').toBe(true);
      }),
    );
  });

  test('the words of a refusal are cut to plain characters', () => {
    const text = 'No\u001b[31m protocol\n';
    const reply = Buffer.concat([
      Buffer.from([0, text.length, 11, 0, 0, 0, 0, 0]),
      Buffer.from(text, 'latin1'),
    ]);
    expect(readSetupReply(reply)).toEqual({ type: 'refused', text: 'No [31m protocol' });
  });
});

describe('the hook’s clock', () => {
  test('X stamps are our milliseconds, also after their 32 bits wrapped', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 35 }),
        fc.integer({ min: 0, max: 5000 }),
        (eventMs, delayMs) => {
          expect(new HookClock('linux').toMonoMs(eventMs % 2 ** 32, eventMs + delayMs + 0.4)).toBe(eventMs);
        },
      ),
    );
  });

  test('a wrap within one run goes unnoticed', () => {
    const clock = new HookClock('linux');
    const wrap = 2 ** 32;
    expect(clock.toMonoMs(wrap - 1, wrap + 3)).toBe(wrap - 1);
    expect(clock.toMonoMs(2, wrap + 4)).toBe(wrap + 2);
  });

  test('a server on another clock keeps its spacing', () => {
    const clock = new HookClock('linux');
    const first = clock.toMonoMs(5_000_000, 900_000_000);
    expect(first).toBe(900_000_000);
    expect(clock.toMonoMs(5_000_016, 900_000_350)).toBe(first + 16);
  });

  test('macOS stamps are nanoseconds or ticks', () => {
    expect(new HookClock('darwin').toMonoMs(123_456e6, 123_457)).toBe(123_456);
    expect(new HookClock('darwin').toMonoMs(123_456 * 24_000, 123_457)).toBe(123_456);
  });
});
