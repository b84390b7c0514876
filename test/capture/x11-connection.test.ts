import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openDisplay } from '../../src/capture/child/x11/open-display.ts';
import type { XConnection } from '../../src/capture/child/x11/x-connection.ts';
import {
  EVENT_MASK,
  eventType,
  getInputFocus,
  getProperty,
  queryPointer,
  selectEvents,
  X_EVENT,
} from '../../src/capture/child/x11/x-core.ts';
import { PacketReader } from '../../src/capture/child/x11/x-packets.ts';
import { xRequest } from '../../src/capture/child/x11/x-request.ts';
import { delayNode } from '../../src/capture/delay-node.ts';
import { hasX, Xvfb } from './xvfb.ts';

const NO_WINDOW = 0x1ffffff;

describe.skipIf(!hasX)('a connection to an X server', { timeout: 30_000 }, () => {
  // It must not begin anew when the last of its clients goes.
  const server = new Xvfb(['-noreset']);

  beforeAll(async () => {
    await server.start();
  });
  afterAll(async () => {
    await server.stop();
  });

  const open = async (on = server): Promise<XConnection> => {
    const x = await openDisplay(optionsFor(on.display), new AbortController().signal);
    onTestFinished(() => x.close());
    return x;
  };

  test('asks and is answered', async () => {
    const x = await open();
    expect(x.setup.screen).toEqual({ x: 0, y: 0, width: 1280, height: 800, scale: 1 });
    await server.xdotool('mousemove', 33, 44);
    expect(await queryPointer(x)).toEqual({ x: 33, y: 44 });
    expect(await getInputFocus(x)).toBe(1);
    expect(await x.atom('WM_NAME')).toBe(39);
    expect(await x.extension('RECORD')).toMatchObject({ majorOpcode: expect.any(Number) as number });
    expect(await x.extension('NO-SUCH-EXTENSION')).toBe(null);
  });

  test('what the server refuses is null, and the answers around it go where they belong', async () => {
    const x = await open();
    const [before, refused, after] = await Promise.all([
      x.atom('WM_NAME'),
      getProperty(x, NO_WINDOW, 39, 100),
      x.atom('WM_CLASS'),
    ]);
    expect([before, refused, after]).toEqual([39, null, 67]);
  });

  test('properties and changes of them are seen', async () => {
    const x = await open();
    const atom = await x.atom('TELEMETRYD_TEST');
    const seen: number[] = [];
    x.listen((bytes, offset) => {
      if (eventType(bytes, offset) === X_EVENT.propertyNotify) seen.push(bytes.readUInt32LE(offset + 8));
    });
    selectEvents(x, x.setup.rootWindow, EVENT_MASK.propertyChange);
    expect(await getProperty(x, x.setup.rootWindow, atom, 100)).toBe(null);
    const other = await open();
    const value = Buffer.from('a value');
    other.send(xRequest(18, 0, [other.setup.rootWindow, atom, 31, 8, value.length], value));
    await queryPointer(other);
    await queryPointer(x);
    expect(seen).toEqual([atom]);
    expect(await getProperty(x, x.setup.rootWindow, atom, 100)).toEqual({ type: 31, format: 8, value });
    expect((await getProperty(x, x.setup.rootWindow, atom, 4))?.value.toString()).toBe('a va');
  });

  test('answers still find their question after more than 65536 requests without one', async () => {
    const x = await open();
    for (let i = 0; i < 140_000; i++) {
      // NoOperation
      x.send(xRequest(127, 0));
    }
    expect(await x.atom('WM_CLASS')).toBe(67);
  });

  test('what comes while it is paused waits', async () => {
    const x = await open();
    x.pause();
    let isAnswered = false;
    const answer = queryPointer(x).then(() => (isAnswered = true));
    await sleep(100);
    expect(isAnswered).toBe(false);
    x.resume();
    await answer;
  });

  test('a server that dies answers null, and is told once', async () => {
    const mortal = new Xvfb();
    onTestFinished(() => mortal.stop('SIGKILL'));
    await mortal.start();
    const x = await open(mortal);
    let told = 0;
    x.onGone = () => {
      told += 1;
    };
    process.kill(mortal.pid ?? 0, 'SIGSTOP');
    const asked = queryPointer(x);
    await mortal.stop('SIGKILL');
    expect(await asked).toBe(null);
    expect(await queryPointer(x)).toBe(null);
    expect(told).toBe(1);
  });

  test('a display of another user is refused', async () => {
    const options = { ...optionsFor(server.display), uid: 12_345 };
    const ours = process.getuid?.() ?? 0;
    // Root's display is everybody's: Xorg runs as root on many systems.
    const opened = openDisplay(options, new AbortController().signal);
    if (ours === 0) (await opened).close();
    else await expect(opened).rejects.toMatchObject({ reason: { code: 'display-foreign' } });
  });
});

describe('packets', () => {
  test('are cut the same however the stream was chopped', () => {
    const event = Buffer.alloc(32, 6);
    const reply = Buffer.alloc(44, 7);
    reply[0] = 1;
    reply.writeUInt32LE(3, 4);
    const stream = Buffer.concat([event, reply, event]);
    for (let size = 1; size <= stream.length; size++) {
      const reader = new PacketReader();
      const packets: Buffer[] = [];
      for (let at = 0; at < stream.length; at += size) {
        reader.push(stream.subarray(at, at + size), (bytes, offset, length) => {
          packets.push(Buffer.from(bytes.subarray(offset, offset + length)));
        });
      }
      expect(packets).toEqual([event, reply, event]);
    }
  });

  test('a reply longer than any is a stream that makes no sense', () => {
    const reply = Buffer.alloc(32);
    reply[0] = 1;
    reply.writeUInt32LE(0xffff_ffff, 4);
    expect(new PacketReader().push(reply, () => undefined)).toBe(false);
  });
});

function optionsFor(display: string) {
  return { env: { DISPLAY: display }, hostname: 'here', uid: process.getuid?.() ?? 0, delay: delayNode };
}
