/**
 * Input events as columns: the one in-memory shape from the capture child to the segment file.
 * No object per event, so that a thousand events a second cost little.
 */

/** Kinds as stored in the `kind` column; numbers are part of the segment format and never change. */
export const KIND = { move: 0, down: 1, up: 2, wheel: 3, keydown: 4, keyup: 5 } as const;
export type KindName = keyof typeof KIND;
export const KIND_NAMES = ['move', 'down', 'up', 'wheel', 'keydown', 'keyup'] as const satisfies KindName[];

/** Pointer buttons as stored in column `a` of `down` and `up`; 6 and above are the device's own numbers. */
export const BUTTON = { left: 1, right: 2, middle: 3, back: 4, forward: 5 } as const;
export const BUTTON_NAMES = ['', 'left', 'right', 'middle', 'back', 'forward'] as const;

/** Bits of the modifiers of a key event (see {@link packKeyDetail}). */
export const MOD = { shift: 1, ctrl: 2, alt: 4, meta: 8 } as const;
export type ModName = keyof typeof MOD;
export const MOD_NAMES = ['shift', 'ctrl', 'alt', 'meta'] as const satisfies ModName[];

/**
 * Set in column `b` of an `up` or `keyup` that nobody saw: the device went away, or events were lost, with the button or
 * key down.
 */
export const MADE_UP = 0x100;

/** Key classes as stored in a key event's detail; numbers are part of the segment format. */
export const KEY_CLASS = { text: 0, edit: 1, navigation: 2, function: 3, modifier: 4 } as const;
export type KeyClass = keyof typeof KEY_CLASS;
const KEY_CLASS_NAMES = ['text', 'edit', 'navigation', 'function', 'modifier'] as const satisfies KeyClass[];

/**
 * `count` events; every column has at least `count` entries and only the first `count` count.
 *
 * | column | move | down, up | wheel | keydown, keyup |
 * |---|---|---|---|---|
 * | `t` | milliseconds on the monotonic clock (`Instant.monoMs`), whole numbers | same | same | same |
 * | `x`, `y` | pixels | pixels | pixels | pixels, where the pointer was |
 * | `a` | 0 | button, see {@link BUTTON} | dx, notches, right positive | key id (`core/keys.ts`), 0 when masked |
 * | `b` | 0 | 0, or {@link MADE_UP} | dy, notches, down positive | {@link packKeyDetail}, and {@link MADE_UP} |
 *
 * `t` never falls, except that a masked key carries a time rounded down to 100 ms and is sorted by it.
 */
export interface EventColumns {
  readonly count: number;
  readonly t: Float64Array;
  readonly kind: Uint8Array;
  readonly x: Int32Array;
  readonly y: Int32Array;
  readonly a: Int32Array;
  readonly b: Int32Array;
}

/** Columns with room for `capacity` events and none in them. */
export function emptyColumns(capacity = 0): EventColumns {
  return {
    count: 0,
    t: new Float64Array(capacity),
    kind: new Uint8Array(capacity),
    x: new Int32Array(capacity),
    y: new Int32Array(capacity),
    a: new Int32Array(capacity),
    b: new Int32Array(capacity),
  };
}

/** Packs a key event's class, auto-repeat and modifiers into column `b`: class in bits 0-2, repeat bit 3, mods 4-7. */
export function packKeyDetail(keyClass: KeyClass, isRepeat: boolean, mods: number): number {
  return KEY_CLASS[keyClass] | (isRepeat ? 8 : 0) | (mods << 4);
}

/** The inverse of {@link packKeyDetail}; an unknown class reads as `text`. */
export function unpackKeyDetail(b: number): { keyClass: KeyClass; isRepeat: boolean; mods: number } {
  return { keyClass: KEY_CLASS_NAMES[b & 7] ?? 'text', isRepeat: (b & 8) !== 0, mods: (b >> 4) & 15 };
}

/** One event as `inspect --json` and `export --format jsonl` print it; fields as in the public contract. */
export interface EventRecord {
  /** Milliseconds since the Unix epoch. */
  t: number;
  kind: KindName;
  x: number;
  y: number;
  button?: string;
  dx?: number;
  dy?: number;
  /** W3C UI Events `code`; absent when masked. */
  key?: string;
  class?: KeyClass;
  mods?: ModName[];
  repeat?: true;
  /** A release that nobody saw: the device went away with the button or key down. */
  synthetic?: true;
}

/** What the child counted since it started, beside the events it sent. */
export interface LossCounts {
  /** Moves left out because they came faster than `mouse_hz`. */
  readonly thinned: number;
  /** Key details left out by masking: events kept as a class only, or not at all. */
  readonly redacted: number;
  /** Events lost because something could not keep up. */
  readonly dropped: number;
}

export const NO_LOSS: LossCounts = { thinned: 0, redacted: 0, dropped: 0 };
