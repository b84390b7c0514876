import { MOD } from '../../../core/events.ts';
import type { XConnection } from './x-connection.ts';
import { pair, xRequest } from './x-request.ts';

/** Modifiers of a key event's state: the eight lower bits, Shift, Lock, Control and Mod1 to Mod5 (X.h). */
const SHIFT_INDEX = 0;
const CONTROL_INDEX = 2;
const STATES = 256;

/**
 * Keysyms (keysymdef.h) of keys that make what a key types another text: third and fifth levels with their latches and
 * locks, and `Mode_switch`.
 */
const TEXT_KEYSYMS = new Set([0xfe03, 0xfe04, 0xfe05, 0xfe11, 0xfe12, 0xfe13, 0xff7e]);
/** `Meta_L/R` and `Alt_L/R`; on PC keyboards both are the Alt keys. */
const ALT_KEYSYMS = new Set([0xffe7, 0xffe8, 0xffe9, 0xffea]);
/** `Super_L/R` and `Hyper_L/R`. */
const META_KEYSYMS = new Set([0xffeb, 0xffec, 0xffed, 0xffee]);

/** What the server says of its modifiers. */
export interface ModifierFacts {
  /** For each of the eight modifiers the key codes that set it; 0 is none. */
  readonly keycodes: readonly (readonly number[])[];
  /** The keysym of a key code with no modifier held. */
  readonly keysymOf: (keycode: number) => number;
}

/**
 * What the modifier bits of a key event mean, by the server's own mapping: which of Mod1 to Mod5 is Alt, Super or AltGr
 * is the layout's choice.
 */
export class XModifiers {
  readonly #modsOfState: Uint8Array;
  readonly #bitsOfKeycode: Uint8Array;

  constructor(facts: ModifierFacts) {
    this.#bitsOfKeycode = bitsOfKeycode(facts);
    this.#modsOfState = modsOfState(facts);
  }

  /**
   * {@link MOD} bits of a key event. Its `state` is that before the event; a modifier key itself counts from its press
   * on and no more at its release. While AltGr or its like is held nothing but Shift counts: what is typed is text.
   */
  modsOf(keycode: number, state: number, isDown: boolean): number {
    const own = this.#bitsOfKeycode[keycode & 0xff] ?? 0;
    return this.#modsOfState[(isDown ? state | own : state & ~own) & 0xff] ?? 0;
  }

  /** What both agree on: right before and after a change of layout alike, and text where they differ. */
  meet(other: XModifiers): XModifiers {
    const met = new XModifiers(NO_FACTS);
    for (let i = 0; i < STATES; i++) {
      met.#modsOfState[i] = (this.#modsOfState[i] ?? 0) & (other.#modsOfState[i] ?? 0);
      met.#bitsOfKeycode[i] = (this.#bitsOfKeycode[i] ?? 0) & (other.#bitsOfKeycode[i] ?? 0);
    }
    return met;
  }
}

/** Asks the server for its mapping; `null` when it went. */
export async function readModifiers(x: XConnection): Promise<XModifiers | null> {
  const { minKeycode, maxKeycode } = x.setup;
  const count = maxKeycode - minKeycode + 1;
  // GetModifierMapping and GetKeyboardMapping (X protocol, section 9).
  const [modifiers, keyboard] = await Promise.all([
    x.ask(xRequest(119, 0)),
    x.ask(xRequest(101, 0, [pair(minKeycode | (count << 8), 0)])),
  ]);
  if (modifiers === null || keyboard === null) return null;
  const perModifier = modifiers.readUInt8(1);
  const perKeycode = keyboard.readUInt8(1);
  return new XModifiers({
    keycodes: Array.from({ length: 8 }, (_, index) => [
      ...modifiers.subarray(32 + index * perModifier, 32 + (index + 1) * perModifier),
    ]),
    keysymOf: (keycode) => {
      const at = 32 + 4 * perKeycode * (keycode - minKeycode);
      return at >= 32 && at + 4 <= keyboard.length ? keyboard.readUInt32LE(at) : 0;
    },
  });
}

const NO_FACTS: ModifierFacts = { keycodes: [], keysymOf: () => 0 };

function bitsOfKeycode({ keycodes }: ModifierFacts): Uint8Array {
  const bits = new Uint8Array(STATES);
  keycodes.forEach((codes, index) => {
    for (const keycode of codes) if (keycode !== 0) bits[keycode] = (bits[keycode] ?? 0) | (1 << index);
  });
  return bits;
}

function modsOfState(facts: ModifierFacts): Uint8Array {
  const meanings = Array.from({ length: 8 }, (_, index) => meaningOf(facts, index));
  return Uint8Array.from({ length: STATES }, (_, state) => {
    const held = meanings.filter((__, index) => (state & (1 << index)) !== 0);
    const mods = held.reduce<number>((sum, meaning) => sum | (meaning === 'text' ? 0 : meaning), 0);
    return held.includes('text') ? mods & MOD.shift : mods;
  });
}

/** {@link MOD} bits of one modifier; `text` where it is AltGr or its like, whatever else it is too. */
function meaningOf({ keycodes, keysymOf }: ModifierFacts, index: number): number | 'text' {
  const keysyms = (keycodes[index] ?? []).filter((keycode) => keycode !== 0).map(keysymOf);
  if (keysyms.some((keysym) => TEXT_KEYSYMS.has(keysym))) return 'text';
  if (index === SHIFT_INDEX) return MOD.shift;
  if (index === CONTROL_INDEX) return MOD.ctrl;
  if (keysyms.some((keysym) => ALT_KEYSYMS.has(keysym))) return MOD.alt;
  return keysyms.some((keysym) => META_KEYSYMS.has(keysym)) ? MOD.meta : 0;
}
