import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { XClock } from '../../src/capture/child/x11/x-clock.ts';
import { XModifiers } from '../../src/capture/child/x11/x-modifiers.ts';
import { MOD } from '../../src/core/events.ts';

const KEYSYM = {
  ctrl: 0xffe3,
  alt: 0xffe9,
  metaKey: 0xffe7,
  super: 0xffeb,
  level3: 0xfe03,
  modeSwitch: 0xff7e,
};
const STATE = { shift: 1, lock: 2, ctrl: 4, mod1: 8, mod2: 16, mod4: 64, mod5: 128 };
const CODE = { shift: 50, ctrl: 37, alt: 64, super: 133, altGr: 92, letter: 38 };

function modifiersWith(mod1: number, mod5: number): XModifiers {
  const keysyms = new Map([
    [CODE.ctrl, KEYSYM.ctrl],
    [CODE.alt, mod1],
    [CODE.super, KEYSYM.super],
    [CODE.altGr, mod5],
  ]);
  return new XModifiers({
    keycodes: [
      [CODE.shift, 0],
      [66, 0],
      [CODE.ctrl, 0],
      [CODE.alt, 0],
      [77],
      [],
      [CODE.super],
      [CODE.altGr, 0],
    ],
    keysymOf: (keycode) => keysyms.get(keycode) ?? 0,
  });
}

describe('modifiers by the server’s mapping', () => {
  const usual = modifiersWith(KEYSYM.alt, KEYSYM.level3);

  test('are each event’s own state, locks left out', () => {
    const { shift, lock, ctrl, mod1, mod2, mod4 } = STATE;
    expect(usual.modsOf(CODE.letter, shift | lock | mod2, true)).toBe(MOD.shift);
    expect(usual.modsOf(CODE.letter, ctrl | mod1 | mod4, true)).toBe(MOD.ctrl | MOD.alt | MOD.meta);
  });

  test('type text with AltGr, whatever else is held', () => {
    expect(usual.modsOf(CODE.letter, STATE.mod5, true)).toBe(0);
    expect(usual.modsOf(CODE.letter, STATE.mod5 | STATE.ctrl | STATE.mod1, true)).toBe(0);
    expect(modifiersWith(KEYSYM.alt, KEYSYM.modeSwitch).modsOf(CODE.letter, STATE.mod5 | 1, true)).toBe(1);
  });

  test('are where the layout puts them: a left Alt that is AltGr makes no chord', () => {
    expect(modifiersWith(KEYSYM.level3, KEYSYM.level3).modsOf(CODE.letter, STATE.mod1, true)).toBe(0);
    expect(modifiersWith(KEYSYM.metaKey, KEYSYM.level3).modsOf(CODE.letter, STATE.mod1, true)).toBe(MOD.alt);
  });

  test('count from the press of the modifier itself, and no more at its release', () => {
    expect(usual.modsOf(CODE.ctrl, 0, true)).toBe(MOD.ctrl);
    expect(usual.modsOf(CODE.ctrl, STATE.ctrl | STATE.shift, false)).toBe(MOD.shift);
  });

  test('are a chord around a change of layout only where the old and the new both say so', () => {
    const met = usual.meet(modifiersWith(KEYSYM.level3, KEYSYM.level3));
    expect(met.modsOf(CODE.letter, STATE.mod1, true)).toBe(0);
    expect(met.modsOf(CODE.letter, STATE.ctrl, true)).toBe(MOD.ctrl);
  });
});

describe('the X server’s clock', () => {
  test('is our own, also after its 32 bits wrapped', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 35 }),
        fc.integer({ min: 0, max: 5000 }),
        (eventMs, lateMs) => {
          const clock = new XClock();
          clock.calibrate(eventMs % 2 ** 32, eventMs + 3);
          expect(clock.toMonoMs(eventMs % 2 ** 32, eventMs + lateMs)).toBe(eventMs);
        },
      ),
    );
  });

  test('is set against ours where it is another, at the start and not by a late first event', () => {
    const clock = new XClock();
    clock.calibrate(1_000_000, 5_000_000.5);
    expect(clock.toMonoMs(1_002_000, 5_002_350)).toBe(5_002_000);
  });

  test('is set anew when it is set', () => {
    const clock = new XClock();
    clock.calibrate(1_000_000, 1_000_000);
    expect(clock.toMonoMs(9_000_000, 1_000_100)).toBe(1_000_100);
    expect(clock.toMonoMs(9_000_050, 1_000_160)).toBe(1_000_150);
  });
});
