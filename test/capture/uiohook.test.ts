import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { BUTTON, MOD } from '../../src/core/events.ts';
import { buildChild, isProcess, TestChild } from './child-bundle.ts';
import { CONFIG } from './child-config.ts';
import { hasX, Xvfb } from './xvfb.ts';

/** Skipped only where Xvfb or xdotool is not installed. */
describe.skipIf(!hasX)('capture of a real X display', { timeout: 30_000 }, () => {
  let bundle: Awaited<ReturnType<typeof buildChild>>;
  let x: Xvfb;
  let child: TestChild;

  beforeAll(async () => {
    bundle = await buildChild();
    x = await new Xvfb().start();
  });
  afterEach(async () => {
    await child.child.stop();
  });
  afterAll(async () => {
    await x.stop();
    await bundle.remove();
  });

  const start = (config = CONFIG): Promise<TestChild> => {
    child = new TestChild(bundle.entryFile, { DISPLAY: x.display });
    return child.start(config);
  };

  test('says what it is and how large the screen is', async () => {
    await start();
    expect(child.info).toEqual({
      backend: 'uiohook',
      coordinates: 'absolute',
      why: 'it was asked for by name',
      screens: [{ x: 0, y: 0, width: 1280, height: 800, scale: 1 }],
    });
  });

  test('300 moves arrive in order with their coordinates and times on our monotonic clock', async () => {
    await start();
    const path = Array.from({ length: 300 }, (_, i) => ({ x: 100 + i * 3, y: 50 + ((i * 7) % 600) }));
    const before = monoMs();
    await x.xdotool(...path.flatMap((at) => ['mousemove', at.x, at.y, 'sleep', 0.004]));
    const after = monoMs();
    await child.child.stop();
    const moves = child.events.filter((event) => event.kind === 'move');
    expect(moves.map((event) => ({ x: event.x, y: event.y }))).toEqual(path);
    expect(moves[0]?.t).toBeGreaterThan(before - 20);
    expect(moves.at(-1)?.t).toBeLessThan(after + 20);
    // The server's spacing: 300 sleeps of 4 ms, not one burst of arrivals.
    expect((moves.at(-1)?.t ?? 0) - (moves[0]?.t ?? 0)).toBeGreaterThan(1000);
  });

  test('fast moves are thinned to mouse_hz and counted, the position before a click is kept', async () => {
    await start({ ...CONFIG, mouseHz: 20 });
    const path = Array.from({ length: 200 }, (_, i) => 200 + i);
    await x.xdotool(...path.flatMap((at) => ['mousemove', at, 300, 'sleep', 0.002]), 'click', 1);
    await child.child.stop();
    const moves = child.events.filter((event) => event.kind === 'move');
    expect(moves.length).toBeLessThan(40);
    expect(moves[0]?.x).toBe(200);
    expect(moves.at(-1)?.x).toBe(399);
    expect(child.messages.findLast((message) => message.type === 'batch')?.loss.thinned).toBe(
      200 - moves.length,
    );
  });

  test('each button and each direction of the wheel', async () => {
    await start();
    await x.xdotool('mousemove', 40, 60);
    for (const button of [1, 2, 3, 8, 9, 4, 5, 6, 7]) await x.xdotool('click', button);
    await child.child.stop();
    const events = child.events.filter((event) => event.kind !== 'move');
    expect(events.every((event) => event.x === 40 && event.y === 60)).toBe(true);
    const { left, middle, right, back, forward } = BUTTON;
    expect(events.map(({ kind, a, b }) => [kind, a, b])).toEqual([
      ...[left, middle, right, back, forward].flatMap((button) => [
        ['down', button, 0],
        ['up', button, 0],
      ]),
      ['wheel', 0, -1],
      ['wheel', 0, 1],
      ['wheel', -1, 0],
      ['wheel', 1, 0],
    ]);
  });

  test('letters are masked, shortcuts and editing keys keep their names', async () => {
    await start();
    await x.xdotool('type', '--delay', 5, 'Secret 42!');
    await x.xdotool('key', 'ctrl+c', 'Return', 'alt+e', 'ctrl+shift+t', 'F5', 'super+l');
    await child.child.stop();
    const downs = child.events.filter((event) => event.kind === 'keydown');
    const text = downs.filter((event) => event.key === 'text');
    expect(text).toHaveLength(11); // ten characters and Alt+E, which might be AltGr
    expect(text.every((event) => event.t % 100 === 0 && event.a === 0 && event.b === 0)).toBe(true);
    const named = downs.filter((event) => event.key !== 'text');
    expect(named.map((event) => [event.key, event.b >> 4])).toEqual([
      ['ControlLeft', MOD.ctrl],
      ['KeyC', MOD.ctrl],
      ['Enter', 0],
      ['ControlLeft', MOD.ctrl],
      ['KeyT', MOD.ctrl | MOD.shift],
      ['F5', 0],
      ['MetaLeft', MOD.meta],
      ['KeyL', MOD.meta],
    ]);
    const ups = child.events.filter((event) => event.kind === 'keyup');
    expect(ups).toHaveLength(downs.length);
  });

  test('every key of the keyboard arrives under its own name', async () => {
    await start();
    // By X key code, which is the evdev code plus 8, so that no layout has a say; Escape (9) reads as a digit.
    await x.xdotool('key', '--delay', 2, 'Escape', 67, 23, 119, 113, 114, 111, 116, 110, 112);
    await x.xdotool('key', '--delay', 2, 'ctrl+q', 'ctrl+m', 'ctrl+9', 'ctrl+minus');
    await child.child.stop();
    const downs = child.events.filter((event) => event.kind === 'keydown').map((event) => event.key);
    expect(downs.filter((key) => key !== 'ControlLeft')).toEqual([
      ...[
        'Escape',
        'F1',
        'Tab',
        'Delete',
        'ArrowLeft',
        'ArrowRight',
        'ArrowUp',
        'ArrowDown',
        'Home',
        'PageUp',
      ],
      ...['KeyQ', 'KeyM', 'Digit9', 'Minus'],
    ]);
  });

  test('auto-repeat of a key that is held is marked', async () => {
    await start();
    await x.xdotool('keydown', 'Left', 'sleep', 1.1, 'keyup', 'Left');
    await child.child.stop();
    const downs = child.events.filter((event) => event.kind === 'keydown');
    expect(downs.length).toBeGreaterThan(5);
    expect(downs.map((event) => event.isRepeat)).toEqual([false, ...downs.slice(1).map(() => true)]);
    expect(child.events.filter((event) => event.kind === 'keyup')).toHaveLength(1);
  });

  test('with focus_unknown = no-keys no key is recorded, and each is counted', async () => {
    await start({ ...CONFIG, focusUnknown: 'no-keys' });
    await x.xdotool('key', 'a', 'Return', 'ctrl+c');
    await child.child.stop();
    expect(child.events).toEqual([]);
    expect(child.messages.findLast((message) => message.type === 'batch')?.loss.redacted).toBe(8);
  });

  test('batches come about once a second while there is input and not at all without', async () => {
    await start();
    for (let i = 0; i < 12; i++) await x.xdotool('mousemove', 500 + i, 400, 'sleep', 0.2);
    await sleep(2500);
    const whileBusy = child.messages.length;
    expect(whileBusy).toBeGreaterThanOrEqual(3);
    expect(whileBusy).toBeLessThanOrEqual(8);
    expect(child.events).toHaveLength(12);
    const pid = child.child.pid ?? 0;
    const before = await wakeups(pid);
    await sleep(3000);
    expect(child.messages).toHaveLength(whileBusy);
    expect((await wakeups(pid)) - before).toBeLessThanOrEqual(3);
  });

  test('stop hands over what came a moment ago and leaves no process, within a second', async () => {
    await start();
    await x.xdotool('mousemove', 600, 600, 'click', 1);
    const pid = child.child.pid ?? 0;
    const before = performance.now();
    await child.child.stop();
    expect(performance.now() - before).toBeLessThan(1000);
    expect(isProcess(pid)).toBe(false);
    expect(child.child.pid).toBe(null);
    expect(child.events.map((event) => event.kind)).toEqual(['move', 'down', 'up']);
    expect(await child.exit.promise).toMatchObject({ code: 'stopped' });
  });

  test('a server that hangs does not keep the process from going', async () => {
    const hung = new Xvfb();
    onTestFinished(() => hung.stop('SIGKILL'));
    await hung.start();
    child = new TestChild(bundle.entryFile, { DISPLAY: hung.display });
    await child.start();
    process.kill(hung.pid ?? 0, 'SIGSTOP');
    const before = performance.now();
    await child.child.stop();
    expect(performance.now() - before).toBeLessThan(1000);
  });

  test('a server that dies is told as display-gone', async () => {
    const mortal = new Xvfb();
    onTestFinished(() => mortal.stop('SIGKILL'));
    await mortal.start();
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (signal === 'SIGKILL') await mortal.start();
      child = new TestChild(bundle.entryFile, { DISPLAY: mortal.display });
      await child.start();
      expect(child.info?.backend).toBe('uiohook');
      await mortal.stop(signal);
      expect(await child.exit.promise).toMatchObject({ code: 'display-gone' });
    }
  });
});

function monoMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Voluntary context switches of the main thread: how often the process woke. */
async function wakeups(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]);
}
