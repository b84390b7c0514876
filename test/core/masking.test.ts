import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MOD, unpackKeyDetail } from '../../src/core/events.ts';
import { KEY_CODES, keyClassOf, keyCode, keyId } from '../../src/core/keys.ts';
import { maskKey } from '../../src/core/masking.ts';

const ALT_CERTAIN = { isAltCertain: true };
const ALT_UNCERTAIN = { isAltCertain: false };

describe('key ids', () => {
  it('name each code once and read back', () => {
    expect(new Set(KEY_CODES).size).toBe(KEY_CODES.length);
    for (const code of KEY_CODES) expect(keyCode(keyId(code))).toBe(code);
    expect(keyId('NoSuchKey')).toBe(0);
    expect(keyCode(0)).toBeUndefined();
  });

  it('never move: files on disk depend on them', () => {
    const pinned = {
      KeyA: 1,
      KeyZ: 26,
      Digit0: 27,
      Space: 48,
      Enter: 53,
      ArrowLeft: 58,
      F1: 67,
      ControlLeft: 97,
      Numpad0: 106,
    };
    for (const [code, id] of Object.entries(pinned)) expect([code, keyId(code)]).toEqual([code, id]);
  });

  it('class whatever could type text as text', () => {
    const text = [
      'KeyA',
      'Digit1',
      'Space',
      'Slash',
      'Numpad5',
      'NumpadEnter',
      'IntlYen',
      'Lang1',
      'Convert',
      'NoSuchKey',
    ];
    for (const code of text) expect([code, keyClassOf(keyId(code))]).toEqual([code, 'text']);
    expect(keyClassOf(keyId('Enter'))).toBe('edit');
    expect(keyClassOf(keyId('ArrowUp'))).toBe('navigation');
    expect(keyClassOf(keyId('F12'))).toBe('function');
    expect(keyClassOf(keyId('ControlLeft'))).toBe('modifier');
  });
});

describe('masking in shortcuts mode', () => {
  const mask = (code: string, mods = 0, knows = ALT_CERTAIN) =>
    maskKey('shortcuts', keyId(code), mods, false, knows);

  it('keeps of a letter only that text was typed, whatever Shift does', () => {
    for (const mods of [0, MOD.shift]) {
      const kept = mask('KeyQ', mods);
      expect(kept?.a).toBe(0);
      expect(kept?.isMasked).toBe(true);
      expect(unpackKeyDetail(kept?.b ?? -1)).toEqual({ keyClass: 'text', isRepeat: false, mods: 0 });
    }
  });

  it('gives all text keys the same record', () => {
    const records = KEY_CODES.filter((code) => keyClassOf(keyId(code)) === 'text').map((code) =>
      mask(code, MOD.shift),
    );
    expect(new Set(records.map((record) => JSON.stringify(record))).size).toBe(1);
  });

  it('names chords with Ctrl, Meta and Alt', () => {
    for (const mods of [MOD.ctrl, MOD.meta, MOD.alt, MOD.ctrl | MOD.shift]) {
      expect(mask('KeyC', mods)?.a).toBe(keyId('KeyC'));
      expect(unpackKeyDetail(mask('KeyC', mods)?.b ?? -1).mods).toBe(mods);
    }
  });

  it('takes Alt for text where it cannot be told from AltGr', () => {
    expect(mask('KeyQ', MOD.alt, ALT_UNCERTAIN)?.a).toBe(0);
    expect(mask('AltLeft', MOD.alt, ALT_UNCERTAIN)).toBeUndefined();
    expect(mask('KeyQ', MOD.alt | MOD.ctrl, ALT_UNCERTAIN)?.a).toBe(keyId('KeyQ'));
  });

  it('keeps no trace of modifiers that shape text', () => {
    for (const code of ['ShiftLeft', 'ShiftRight', 'AltRight', 'CapsLock', 'NumLock'])
      expect(mask(code)).toBeUndefined();
    expect(mask('ControlLeft')?.a).toBe(keyId('ControlLeft'));
  });

  it('never names an unknown key, even in a chord', () => {
    expect(maskKey('shortcuts', 0, MOD.ctrl, false, ALT_CERTAIN)?.a).toBe(0);
  });
});

describe('masking in any mode', () => {
  it('off keeps nothing, activity keeps no name, and a text key without a chord is never named outside full', () => {
    fc.assert(
      fc.property(
        fc.nat(KEY_CODES.length),
        fc.nat(15),
        fc.boolean(),
        fc.boolean(),
        (id, mods, isRepeat, isAltCertain) => {
          expect(maskKey('off', id, mods, isRepeat, { isAltCertain })).toBeUndefined();
          expect(maskKey('activity', id, mods, isRepeat, { isAltCertain })?.a ?? 0).toBe(0);
          const kept = maskKey('shortcuts', id, mods & MOD.shift, isRepeat, { isAltCertain });
          if (keyClassOf(id) === 'text') expect(kept?.a).toBe(0);
        },
      ),
    );
  });
});
