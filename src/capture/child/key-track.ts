import { KIND, MADE_UP } from '../../core/events.ts';
import { keyClassOf } from '../../core/keys.ts';
import { type KeyMode, type MaskedKey, type ModifierKnowledge, maskKey } from '../../core/masking.ts';

/**
 * A release and a press of one key with stamps this close are one auto-repeat: X11 sends such pairs, with one stamp, to
 * those that do not ask for better. (Xvfb's RECORD gave presses only.) No finger is that quick.
 */
const REPEAT_PAIR_MS = 1;

/** Takes the keys that are kept; `isMasked` asks for a coarse time. */
export type KeepKey = (tMs: number, kind: number, a: number, b: number, isMasked: boolean) => void;

interface Release {
  readonly tMs: number;
  readonly code: number;
  readonly id: number;
  readonly mods: number;
  /** {@link MADE_UP}, or 0. */
  readonly mark: number;
}

/**
 * Masks keys, pairs a press with its release, and marks auto-repeat.
 *
 * What was decided at the press holds for the release and the repeats: a letter pressed plain must not show its name
 * because Ctrl happened to be down when it came up. The release of a masked key is given out right behind its press
 * and the real one is dropped, so that it cannot tell how long the key was held.
 */
export class KeyTrack {
  /** Key events kept as a class only, or not at all. */
  redacted = 0;
  #mode: KeyMode = 'off';
  readonly #knows: ModifierKnowledge;
  readonly #keep: KeepKey;
  /** Keys that are down, by the back end's code, with what was decided of them. */
  readonly #down = new Map<number, MaskedKey | undefined>();
  /** Keys that went down while nothing was to be recorded, and when they were let go; infinite while they are down. */
  readonly #unseen = new Map<number, number>();
  /** Some presses were not seen, so a release alone tells nothing that may be told. */
  #hasGap = false;
  /** A release that may turn out to be half of an auto-repeat. */
  #release: Release | null = null;

  constructor(knows: ModifierKnowledge, keep: KeepKey) {
    this.#knows = knows;
    this.#keep = keep;
  }

  /** Time of the release that waits; infinite when none does. */
  get waitingSinceMs(): number {
    return this.#release?.tMs ?? Number.POSITIVE_INFINITY;
  }

  key(tMs: number, isDown: boolean, code: number, id: number, mods: number, isRepeat: boolean): void {
    if (this.#isUnseen(tMs, isDown, code)) return;
    if (!isDown) {
      this.settle();
      this.#release = { tMs, code, id, mods, mark: 0 };
      return;
    }
    if (this.#release?.code === code && tMs - this.#release.tMs <= REPEAT_PAIR_MS) this.#release = null;
    else this.settle();
    this.#press(tMs, code, id, mods, isRepeat);
  }

  /** The key came up unseen. */
  gone(tMs: number, code: number, id: number, mods: number): void {
    this.settle();
    this.#release = { tMs, code, id, mods, mark: MADE_UP };
    this.settle();
  }

  /** Something else happened at `tMs`: a release well before it was a real one. */
  advance(tMs: number): void {
    if (this.#release !== null && tMs - this.#release.tMs > REPEAT_PAIR_MS) this.settle();
  }

  /** How much is kept of the keys that follow. */
  setMode(mode: KeyMode): void {
    this.#mode = mode;
  }

  /** Nothing is recorded for now: whatever is down stays unseen until it is let go. */
  withhold(): void {
    for (const code of this.#down.keys()) this.#unseen.set(code, Number.POSITIVE_INFINITY);
    if (this.#release !== null) this.#unseen.set(this.#release.code, this.#release.tMs);
    this.#release = null;
    this.#down.clear();
    this.#hasGap = true;
  }

  /** A key while nothing is recorded: only whether it is down is kept in mind. */
  pass(tMs: number, isDown: boolean, code: number): void {
    this.#unseen.set(code, isDown ? Number.POSITIVE_INFINITY : tMs);
  }

  /** Gives out the release that waits. */
  settle(): void {
    if (this.#release === null) return;
    const release = this.#release;
    this.#release = null;
    const isOurs = this.#down.has(release.code);
    const pressed = this.#down.get(release.code);
    this.#down.delete(release.code);
    const kept = this.#releaseOf(release, isOurs, pressed);
    if (kept === undefined) this.redacted += 1;
    else this.#keep(release.tMs, KIND.keyup, kept.a, kept.b | release.mark, false);
  }

  /** An unseen key stays so through its repeats, which may come as pairs of release and press, and its release. */
  #isUnseen(tMs: number, isDown: boolean, code: number): boolean {
    const releasedMs = this.#unseen.get(code);
    if (releasedMs === undefined) return false;
    if (isDown && tMs - releasedMs > REPEAT_PAIR_MS) {
      this.#unseen.delete(code);
      return false;
    }
    this.#unseen.set(code, isDown ? Number.POSITIVE_INFINITY : tMs);
    return true;
  }

  #press(tMs: number, code: number, id: number, mods: number, isMarkedRepeat: boolean): void {
    const isHeld = this.#down.has(code);
    const isRepeat = isHeld || isMarkedRepeat;
    const own = maskKey(this.#mode, id, mods, isRepeat, this.#knows);
    const first = this.#down.get(code);
    // A masked key that repeats stays masked even when Ctrl is pressed meanwhile.
    const kept = isHeld && first?.isMasked === true ? maskKey(this.#mode, id, 0, true, this.#knows) : own;
    if (!isHeld) this.#down.set(code, own);
    if (kept === undefined || kept.isMasked) this.redacted += 1;
    if (kept === undefined) return;
    this.#keep(tMs, KIND.keydown, kept.a, kept.b, kept.isMasked);
    if (kept.isMasked && !isRepeat) this.#keep(tMs, KIND.keyup, kept.a, kept.b, true);
  }

  #releaseOf(release: Release, isOurs: boolean, pressed: MaskedKey | undefined): MaskedKey | undefined {
    const own = maskKey(this.#mode, release.id, release.mods, false, this.#knows);
    // The press came before capture began: without it there is no telling whether this was text.
    if (!isOurs) {
      const isHarmless = own?.isMasked === false && keyClassOf(release.id) !== 'text';
      return isHarmless && !this.#hasGap ? own : undefined;
    }
    if (pressed === undefined || pressed.isMasked) return undefined;
    // Ctrl+C with Ctrl let go first: the C that comes up is still the chord's.
    return own?.isMasked === false ? own : pressed;
  }
}
