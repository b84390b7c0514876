import { chmodSync, constants, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { BurstPace } from '../../src/capture/child/evdev/burst-pace.ts';
import { CharacterStream } from '../../src/capture/child/evdev/character-stream.ts';
import { DeviceFolder } from '../../src/capture/child/evdev/device-folder.ts';
import { kindOf } from '../../src/capture/child/evdev/device-kind.ts';
import { ABS, BTN, EV, EventReader, REL } from '../../src/capture/child/evdev/input-event.ts';
import { until } from '../e2e/desk.ts';
import {
  answers,
  DeviceDesk,
  DROPPED,
  FINE_MOUSE,
  KEY,
  keyboard,
  MOUSE,
  nowMonoMs,
  PAD,
  packed,
  type Raw,
  REPORT,
  SCREEN,
} from './evdev-desk.ts';

const down = (code: number): Raw => [EV.key, code, 1];
const up = (code: number): Raw => [EV.key, code, 0];
const repeat = (code: number): Raw => [EV.key, code, 2];
const step = (code: number, value: number): Raw => [EV.rel, code, value];
const place = (code: number, value: number): Raw => [EV.abs, code, value];

test('events come out whole, however their bytes were torn', () => {
  const anEvent = fc.tuple(
    fc.nat(2 ** 30),
    fc.nat(0xffff),
    fc.nat(0xffff),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  );
  fc.assert(
    fc.property(fc.array(anEvent, { maxLength: 700 }), fc.array(fc.nat(9000)), (events, cuts) => {
      const bytes = Buffer.concat(events.map(([t, ...event]) => packed(t, event)));
      const seen: number[][] = [];
      const reader = new EventReader((...event) => seen.push(event));
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        reader.push(bytes.subarray(at, at + cut));
        at = Math.min(bytes.length, at + cut);
      }
      expect(seen).toEqual(events);
    }),
    { numRuns: 40 },
  );
});

describe('what a device is', () => {
  const cases = [
    ['a mouse', MOUSE, 'mouse'],
    ['a keyboard', keyboard(), 'none'],
    ['a touchpad', PAD, 'touchpad'],
    ['the pointer of a virtual machine', { keys: [BTN.mouse], positions: [ABS.x, ABS.y] }, 'absolute'],
  ] as const;
  test.each(cases)('%s', (_, device, pointer) => {
    expect(kindOf(answers(device))?.pointer).toBe(pointer);
  });

  test('of a touch screen, a pen, a joystick and a lid nothing is taken', () => {
    expect(kindOf(answers(SCREEN))).toBeNull();
    expect(kindOf(answers({ keys: [BTN.toolPen, BTN.touch], positions: [ABS.x, ABS.y] }))).toBeNull();
    expect(kindOf(answers({ keys: [0x130, 0x131], positions: [ABS.x, ABS.y] }))).toBeNull();
    expect(kindOf(answers({}))).toBeNull();
  });
});

describe('the pause between bursts', () => {
  const settled = (perMs: number): number => {
    const pace = new BurstPace();
    let pause = 2;
    let mostWaiting = 0;
    for (let i = 0; i < 50; i++) {
      const elapsed = Math.max(pause, 1 / perMs);
      mostWaiting = Math.max(mostWaiting, perMs * elapsed);
      pause = pace.next(Math.round(perMs * elapsed), elapsed);
    }
    // The kernel's ring holds 64.
    expect(mostWaiting).toBeLessThan(64);
    return pause;
  };

  test('is the longest for mice of up to 1000 packets a second, none for one of 8000', () => {
    expect([settled(0.1), settled(0.4), settled(3)]).toEqual([10, 10, 10]);
    expect(settled(6)).toBeCloseTo(32 / 6, 0);
    expect(settled(24)).toBe(0);
  });

  test('may be made shorter, and never longer than the ring allows', () => {
    const pace = new BurstPace();
    pace.limitMs = 4;
    for (let i = 0; i < 20; i++) expect(pace.next(1, 5)).toBeLessThanOrEqual(4);
  });
});

describe('devices', () => {
  test('a mouse and a keyboard are read together, in order of time', async () => {
    const desk = new DeviceDesk().plug('event0', MOUSE).plug('event1', keyboard());
    const start = nowMonoMs() - 100;
    // Written before anyone reads, the later ones first.
    desk.write('event1', packed(start + 20, down(KEY.f1), REPORT), packed(start + 40, up(KEY.f1), REPORT));
    desk.write('event0', packed(start + 10, step(REL.x, 3), step(REL.y, -2), REPORT));
    desk.write(
      'event0',
      packed(start + 30, step(REL.x, 4), REPORT),
      packed(start + 50, step(REL.wheel, -1), REPORT),
    );
    await desk.start();
    await desk.sees('wheel 0,1');
    expect(desk.notebook.lines).toEqual(['move 3,-2', 'F1 down', 'move 7,-2', 'F1 up', 'wheel 0,1']);
    expect(desk.notebook.times.map((t) => Math.round(t - start))).toEqual([10, 20, 30, 40, 50]);
    expect(desk.failure).toBeNull();
  });

  test('buttons count as the other back ends count them, where the pointer is by then', async () => {
    const desk = await new DeviceDesk().plug('event0', MOUSE).start();
    desk.send('event0', step(REL.x, 5), down(BTN.mouse));
    for (let i = 1; i < 5; i++) desk.send('event0', down(BTN.mouse + i), up(BTN.mouse + i));
    desk.send('event0', up(BTN.mouse));
    await desk.sees('button 1 up 5,0');
    expect(desk.notebook.lines).toEqual([
      'move 5,0',
      'button 1 down 5,0',
      ...[2, 3, 4, 5].flatMap((button) => [`button ${button} down 5,0`, `button ${button} up 5,0`]),
      'button 1 up 5,0',
    ]);
  });

  test('a fine wheel gives whole notches, once', async () => {
    const desk = await new DeviceDesk().plug('event0', FINE_MOUSE).start();
    for (let i = 0; i < 3; i++)
      desk.send('event0', step(REL.wheelHiRes, -40), ...(i === 2 ? [step(REL.wheel, -1)] : []));
    // Half a notch, and back again: nothing.
    desk.send('event0', step(REL.wheelHiRes, 60));
    desk.send('event0', step(REL.wheelHiRes, -60));
    desk.send('event0', step(REL.hwheelHiRes, 240), step(REL.hwheel, 2));
    await desk.sees('wheel 2,0');
    expect(desk.notebook.lines).toEqual(['wheel 0,1', 'wheel 2,0']);
  });

  test('a finger on a touchpad moves the pointer, two do not', async () => {
    const desk = await new DeviceDesk().plug('event0', PAD).start();
    desk.send('event0', down(BTN.touch), down(BTN.toolFinger), place(ABS.x, 100), place(ABS.y, 200));
    // 20 units a millimetre, 40 steps a millimetre.
    desk.send('event0', place(ABS.x, 103));
    desk.send('event0', up(BTN.toolFinger), down(BTN.toolDoubleTap), place(ABS.x, 500));
    desk.send('event0', place(ABS.y, 600));
    desk.send('event0', up(BTN.toolDoubleTap), down(BTN.toolFinger), place(ABS.x, 10));
    desk.send('event0', place(ABS.y, 599));
    desk.send('event0', up(BTN.touch), up(BTN.toolFinger));
    desk.send('event0', down(BTN.touch), down(BTN.toolFinger), place(ABS.x, 900));
    desk.send('event0', down(BTN.mouse));
    await desk.sees('button 1 down 6,-2');
    expect(desk.notebook.lines).toEqual(['move 6,0', 'move 6,-2', 'button 1 down 6,-2']);
  });

  test('modifiers count over all keyboards, the right Ctrl types text, repeats are told', async () => {
    const desk = await new DeviceDesk()
      .plug('event0', keyboard([KEY.ctrl]))
      .plug('event1', keyboard())
      .start();
    // The left Ctrl was held before: known at once, though its press was never seen.
    desk.send('event1', down(KEY.c));
    desk.send('event1', repeat(KEY.c));
    desk.send('event1', up(KEY.c));
    desk.send('event0', up(KEY.ctrl));
    desk.send('event1', down(KEY.rightCtrl), down(KEY.a), up(KEY.a), up(KEY.rightCtrl));
    await desk.sees('ControlRight up');
    expect(desk.notebook.lines).toEqual([
      'KeyC down mods=2',
      'KeyC repeat mods=2',
      'KeyC up mods=2',
      'ControlRight down',
      'KeyA down',
      'KeyA up',
      'ControlRight up',
    ]);
  });

  test('after a loss what is held is as the device says, and a release that was lost is made up', async () => {
    const board = keyboard();
    const desk = await new DeviceDesk().plug('event0', board).start();
    desk.send('event0', down(KEY.ctrl));
    desk.send('event0', down(KEY.f1));
    await desk.sees('F1 down mods=2');
    // Both came up and a letter was typed, unseen; what is read with the loss is of an unknown state.
    board.held = [KEY.a];
    desk.write('event0', packed(nowMonoMs(), DROPPED, down(KEY.c), REPORT, down(KEY.enter), REPORT));
    await desk.sees('lost', 'F1 gone', 'ControlLeft gone');
    desk.send('event0', up(KEY.a));
    desk.send('event0', down(KEY.c));
    await desk.sees('KeyC down');
    expect(desk.notebook.lines).not.toContain('Enter down');
    expect(desk.notebook.lines).not.toContain('KeyA up');
  });

  test('where a device does not answer after a loss, nothing counts as held', async () => {
    const board = keyboard();
    const desk = await new DeviceDesk().plug('event0', board).start();
    desk.send('event0', down(KEY.ctrl));
    await desk.sees('ControlLeft down mods=2');
    board.held = null;
    desk.send('event0', DROPPED);
    await desk.sees('lost', 'ControlLeft gone');
    desk.send('event0', down(KEY.a));
    await desk.sees('KeyA down');
  });

  test('a modifier that was let go unseen, under another program’s grab, is no longer held', async () => {
    const board = keyboard();
    const desk = await new DeviceDesk().plug('event0', board).start();
    desk.send('event0', down(KEY.ctrl));
    await desk.sees('ControlLeft down mods=2');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    // Shift is held by now too, but was pressed after the letter for all we know: it must not count for it.
    board.held = [KEY.shift];
    desk.send('event0', down(KEY.a));
    await desk.sees('KeyA down');
  });

  test('come and go, and keys held at the end are let go, marked as made up', async () => {
    const desk = await new DeviceDesk().plug('event0', MOUSE).start();
    desk.plug('event7', keyboard());
    await until('the new keyboard', () => {
      desk.send('event7', down(KEY.f1), up(KEY.f1));
      return desk.notebook.lines.includes('F1 up');
    });
    desk.send('event7', down(KEY.ctrl));
    desk.send('event7', down(KEY.enter));
    desk.send('event0', down(BTN.mouse));
    await desk.sees('Enter down mods=2', 'button 1 down 0,0');
    desk.unplug('event7');
    await desk.sees('Enter gone', 'ControlLeft gone');
    desk.unplug('event0');
    await desk.sees('button 1 gone');
    await expect(desk.backend.probe()).rejects.toMatchObject({ reason: { code: 'no-device' } });
    desk.plug('event0', MOUSE);
    await until('the mouse again', () => {
      desk.send('event0', step(REL.x, 1));
      return desk.notebook.lines.some((line) => line.startsWith('move'));
    });
    await desk.backend.probe();
    expect(desk.failure).toBeNull();
  });

  test('of a device that sends garbage without end nothing breaks, and the others go on', async () => {
    const desk = await new DeviceDesk().plug('event0', keyboard()).plug('event1', MOUSE).start();
    let seed = 1;
    const noise = Buffer.alloc(60_000);
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < noise.length; i++) {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
        noise[i] = seed >>> 24;
      }
      await desk.flood('event0', noise);
    }
    // Keys without end, and never the end of a packet.
    for (let i = 0; i < 20; i++) {
      await desk.flood('event0', packed(nowMonoMs(), ...Array.from({ length: 2000 }, () => down(KEY.a))));
    }
    const before = nowMonoMs();
    desk.send('event1', step(REL.x, 1));
    await desk.sees('move 1,0');
    expect(desk.notebook.times.every((t) => t <= nowMonoMs() && t > before - 60_000)).toBe(true);
  }, 30_000);

  test('are handed over up to the stop, and left at once', async () => {
    const desk = await new DeviceDesk().plug('event0', MOUSE).start();
    desk.send('event0', step(REL.x, 1));
    await desk.sees('move 1,0');
    desk.send('event0', step(REL.x, 1));
    const asked = performance.now();
    await desk.backend.stop();
    expect(performance.now() - asked).toBeLessThan(500);
    expect(desk.notebook.lines).toEqual(['move 1,0', 'move 2,0']);
    await desk.backend.stop();
  });
});

describe('without a device', () => {
  const reasonOf = (desk: DeviceDesk): Promise<unknown> =>
    desk.start().then(
      () => 'started',
      (error: unknown) => (error as { reason: { code: string } }).reason.code,
    );

  test('the start says so', async () => {
    expect(await reasonOf(new DeviceDesk())).toBe('no-device');
    expect(await reasonOf(new DeviceDesk().plug('event0', SCREEN).plug('mouse0', MOUSE))).toBe('no-device');
    expect(await reasonOf(new DeviceDesk().plug('event0', { ...MOUSE, hasClock: false }))).toBe('no-device');
  });

  test.skipIf(process.getuid?.() === 0)('that may be opened the start says how to get one', async () => {
    const desk = new DeviceDesk().plug('event0', MOUSE);
    chmodSync(desk.path('event0'), 0);
    expect(await reasonOf(desk)).toBe('no-permission');
  });
});

test('devices of another seat are another person’s', () => {
  const desk = new DeviceDesk().plug('event0', MOUSE);
  const places = { deviceDir: path.join(desk.root, 'input'), udevDir: desk.root };
  const isOurs = (seat: string): boolean => new DeviceFolder({ ...places, seat }).isOurs('event0');
  expect([isOurs('seat0'), isOurs('seat1')]).toEqual([true, false]);
  // A FIFO has the device number 0:0.
  writeFileSync(path.join(desk.root, 'c0:0'), 'I:1\nE:ID_INPUT=1\nE:ID_SEAT=seat1\nG:seat\n');
  expect([isOurs('seat0'), isOurs('seat1')]).toEqual([false, true]);
});

test.skipIf(!isReadable('/dev/kmsg'))(
  'a character device is read as a FIFO is, and closed at once',
  async () => {
    const fd = openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK);
    let bytes = 0;
    const stream = new CharacterStream(fd, {
      onBytes: (chunk) => (bytes += chunk.length),
      onGone: () => (bytes = -1),
    });
    onTestFinished(() => stream.close());
    await until('what the kernel said', () => bytes > 0);
    stream.close();
    await until(
      'the descriptor to be closed',
      () => !existsSync(`/proc/self/fd/${fd}`) || !/kmsg/.test(linkOf(fd)),
    );
  },
);

const RECORDING = path.join(import.meta.dirname, '../../../shared/data/evemu-gaming-mouse.csv');
test.skipIf(!existsSync(RECORDING))('a recorded mouse comes through byte for byte', async () => {
  const desk = await new DeviceDesk().plug('event0', MOUSE).start();
  const rows = readFileSync(RECORDING, 'utf8')
    .trim()
    .split('\n')
    .slice(1, 1500)
    .map((line) => line.split(',').map(Number));
  const moves = rows.filter(([, kind]) => kind === 0);
  let [x, y] = [0, 0];
  for (const [, , dx = 0, dy = 0] of moves) {
    x += dx;
    y += dy;
    await desk.flood('event0', packed(nowMonoMs(), step(REL.x, dx), step(REL.y, dy), REPORT));
  }
  await desk.sees(`move ${x},${y}`);
  const moved = moves.filter(([, , dx, dy]) => dx !== 0 || dy !== 0);
  expect(desk.notebook.lines).toHaveLength(moved.length);
});

function isReadable(file: string): boolean {
  try {
    return openSync(file, constants.O_RDONLY | constants.O_NONBLOCK) > 0;
  } catch {
    return false;
  }
}

function linkOf(fd: number): string {
  return readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
}
