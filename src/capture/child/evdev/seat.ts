import { MOD } from '../../../core/events.ts';

/**
 * Linux key codes of the keys that count as modifiers. Only the left Ctrl and Meta: layouts let the right ones choose
 * a third or fifth level (Canadian multilingual does so with the right Ctrl), and what types text must not look like a
 * shortcut. The right Alt is AltGr.
 */
const MODIFIERS = new Map<number, number>([
  [42, MOD.shift],
  [54, MOD.shift],
  [29, MOD.ctrl],
  [56, MOD.alt],
  [125, MOD.meta],
]);

/**
 * What all devices of a seat have in common: one pointer, and modifiers, which a compositor takes from all keyboards
 * together. The pointer has no place that evdev knows: its coordinates are the sum of its steps from 0, 0.
 */
export class Seat {
  x = 0;
  y = 0;
  readonly #held = new Map<number, Set<number>>();

  /** Modifiers held on any device, {@link MOD} bits. */
  get mods(): number {
    let mods = 0;
    for (const codes of this.#held.values()) {
      for (const code of codes) mods |= MODIFIERS.get(code) ?? 0;
    }
    return mods;
  }

  /** Motion in whole steps; stops at the edge of what a column holds. */
  move(dx: number, dy: number): void {
    this.x = clampInt32(this.x + dx);
    this.y = clampInt32(this.y + dy);
  }

  key(device: number, code: number, isDown: boolean): void {
    if (!MODIFIERS.has(code)) return;
    const codes = this.#held.get(device) ?? new Set();
    if (isDown) codes.add(code);
    else codes.delete(code);
    this.#held.set(device, codes);
  }

  /** What a device says that is held now; nothing where that is not known. */
  replace(device: number, held: { has(code: number): boolean } | null): void {
    this.#held.set(device, new Set([...MODIFIERS.keys()].filter((code) => held?.has(code) ?? false)));
  }

  /** Drops what a device says is not held; adds nothing, since what is held now may have been pressed a moment ago. */
  retain(device: number, held: { has(code: number): boolean } | null): void {
    const codes = this.#held.get(device) ?? [];
    this.#held.set(device, new Set([...codes].filter((code) => held?.has(code) ?? false)));
  }

  /** Whether a modifier of this device counts as held. */
  holds(device: number): boolean {
    return (this.#held.get(device)?.size ?? 0) > 0;
  }

  forget(device: number): void {
    this.#held.delete(device);
  }
}

function clampInt32(value: number): number {
  return Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, value));
}
