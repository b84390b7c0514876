import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyCode } from '../../src/core/keys.ts';
import { BackendRun, type Said } from './backend-run.ts';
import { openInjector, type XInjector } from './x-injector.ts';
import { hasX, Xvfb } from './xvfb.ts';

/** X key codes, which are the kernel's plus 8. */
const FIRST_KEYCODE = 9;
const LAST_KEYCODE = 254;
/** Where no test goes: what comes after everything else. */
const MARK = { x: 1279, y: 799 };
const KEY = {
  ctrl: 37,
  shift: 50,
  alt: 64,
  super: 133,
  altGr: 92,
  a: 38,
  e: 26,
  c: 54,
  t: 28,
  left: 113,
  f5: 71,
};

/** Every back end for X sees the same input, and says the same of it. */
describe.skipIf(!hasX)('what is done on an X display', { timeout: 60_000 }, () => {
  const server = new Xvfb();
  let hand: XInjector;
  let runs: BackendRun[];

  beforeAll(async () => {
    await server.start();
    hand = await openInjector(server.display);
    await hand.mapWindow();
    runs = await Promise.all(['x11', 'uiohook'].map((name) => new BackendRun(name, server.display).start()));
  });
  afterAll(async () => {
    await Promise.all(runs.map((run) => run.stop()));
    hand.close();
    await server.stop();
  });

  /** Does something and gives what each back end then saw. */
  const seenBy = async (act: () => void | Promise<void>): Promise<Map<string, Said[]>> => {
    const since = runs.map((run) => run.said.length);
    await act();
    await hand.done();
    // The mark comes last: when it is seen, all before it is.
    hand.move(MARK.x, MARK.y);
    await hand.done();
    const seen = new Map<string, Said[]>();
    for (const [index, run] of runs.entries()) {
      for (let i = 0; i < 1000; i++) {
        if (
          run.said
            .slice(since[index])
            .some(([what, , x, y]) => what === 'move' && x === MARK.x && y === MARK.y)
        )
          break;
        run.order('poke');
        await sleep(10);
      }
      const events = run.of(['move', 'button', 'wheel', 'key'], since[index]).slice(0, -1);
      seen.set(run.info.backend, events);
    }
    return seen;
  };

  /** Both saw the same; gives it as lines without times. */
  const agreed = async (act: () => void | Promise<void>): Promise<string[]> => {
    const seen = await seenBy(act);
    const [x11 = [], uiohook = []] = runs.map((run) => run.linesOf(seen.get(run.info.backend) ?? []));
    expect(uiohook).toEqual(x11);
    return x11;
  };

  const press = (...keycodes: number[]): void => {
    for (const keycode of keycodes) hand.key(true, keycode);
    for (const keycode of keycodes.toReversed()) hand.key(false, keycode);
  };

  test('is moves at absolute positions, with the server’s times', async () => {
    const path = Array.from({ length: 40 }, (_, i) => [30 * i, 19 * i] as const);
    const seen = await seenBy(async () => {
      for (const [x, y] of path) {
        hand.move(x, y);
        await sleep(3);
      }
    });
    const times: number[][] = [];
    for (const events of seen.values()) {
      expect(events.map(([what, , x, y]) => [what, x, y])).toEqual(path.map(([x, y]) => ['move', x, y]));
      times.push(events.map(([, tMs]) => tMs as number));
    }
    // The hook's are those of the server's packet, which may be begun a moment after the event or before it.
    expect(times[0]?.every((tMs, i) => Math.abs(tMs - (times[1]?.[i] ?? 0)) <= 20)).toBe(true);
    expect(times[0]?.every((tMs) => Math.abs(tMs - monoMs()) < 10_000 && Number.isInteger(tMs))).toBe(true);
  });

  test('is five buttons and more, and the wheel in four directions', async () => {
    const lines = await agreed(() => {
      hand.move(50, 60);
      for (const button of [1, 2, 3, 8, 9, 10, 4, 5, 6, 7]) {
        hand.button(true, button);
        hand.button(false, button);
      }
    });
    expect(lines).toEqual([
      'move 50 60',
      // left, middle, right, back, forward, and one of the device's own
      ...[1, 3, 2, 4, 5, 6].flatMap((button) => [
        `button true ${button} 50 60`,
        `button false ${button} 50 60`,
      ]),
      ...['wheel 50 60 0 -1', 'wheel 50 60 0 1', 'wheel 50 60 -1 0', 'wheel 50 60 1 0'],
    ]);
  });

  test('is letters, chords and function keys', async () => {
    const lines = await agreed(() => {
      press(KEY.a);
      press(KEY.shift, KEY.a);
      press(KEY.ctrl, KEY.c);
      press(KEY.ctrl, KEY.shift, KEY.t);
      press(KEY.super, KEY.e);
      press(KEY.f5);
    });
    expect(lines.filter((line) => line.startsWith('keydown'))).toEqual(
      [
        ...['text', 'nothing', 'text', 'ControlLeft', 'KeyC', 'ControlLeft', 'nothing', 'KeyT'],
        ...['MetaLeft', 'KeyE', 'F5'],
      ].map((name) => `keydown ${name}`),
    );
  });

  test('is text with AltGr, and with Alt where that may be AltGr', async () => {
    expect(await agreed(() => press(KEY.altGr, KEY.e))).toContain('keydown text');
    const seen = await seenBy(() => press(KEY.alt, KEY.e));
    const [x11, uiohook] = runs.map((run) => run.linesOf(seen.get(run.info.backend) ?? []));
    expect(x11).toContain('keydown KeyE');
    expect(uiohook).toContain('keydown text');
  });

  test('is a modifier that is let go before its key', async () => {
    await agreed(() => {
      hand.key(true, KEY.ctrl);
      hand.key(true, KEY.c);
      hand.key(false, KEY.ctrl);
      hand.key(false, KEY.c);
    });
  });

  test('is presses alone while a key repeats', async () => {
    const seen = await seenBy(async () => {
      hand.key(true, KEY.left);
      await hand.done();
      await sleep(900);
      hand.key(false, KEY.left);
    });
    const counts = [...seen.values()].map((events) => events.map(([, , isDown]) => isDown));
    expect(counts[0]).toEqual(counts[1]);
    expect(counts[0]?.length).toBeGreaterThan(4);
    expect(counts[0]?.slice(0, -1).every(Boolean)).toBe(true);
    expect(counts[0]?.at(-1)).toBe(false);
  });

  test('is every key under one name', async () => {
    const names = new Map<string, Map<number, string | undefined>>();
    const codes = Array.from({ length: LAST_KEYCODE - FIRST_KEYCODE + 1 }, (_, i) => FIRST_KEYCODE + i);
    // Caps Lock, Num Lock and Scroll Lock would stay on, and two keys the server keeps for itself (they break grabs).
    const calm = codes.filter((code) => ![66, 77, 78, 249, 250].includes(code));
    const seen = await seenBy(() => {
      for (const code of calm) press(code);
    });
    for (const [name, events] of seen) {
      const presses = events.filter(([what, , isDown]) => what === 'key' && isDown === true);
      expect(presses).toHaveLength(calm.length);
      names.set(name, new Map(presses.map((said, i) => [calm[i] ?? 0, keyCode(said[4] as number)])));
    }
    const different = calm.filter((code) => {
      const [x11, uiohook] = ['x11', 'uiohook'].map((name) => names.get(name)?.get(code));
      // Where the hook has no number for a key, or for several the same, its name is missing.
      return uiohook !== undefined && x11 !== uiohook;
    });
    expect(
      different.map((code) => [code, names.get('x11')?.get(code), names.get('uiohook')?.get(code)]),
    ).toEqual([]);
    const known = calm.filter((code) => names.get('x11')?.get(code) !== undefined);
    expect(known.length).toBeGreaterThan(120);
  });
});

function monoMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
