import { MOD, packKeyDetail } from './events.ts';
import { keyClassOf, keyId } from './keys.ts';

/** How much of a key is kept. `policy.capture.keys`. */
export type KeyMode = 'off' | 'activity' | 'shortcuts' | 'full';

/** A masked text key's time is rounded down to this, so that typing rhythm identifies neither person nor text. */
export const MASKED_TIME_QUANTUM_MS = 100;

/** Whether Alt alone makes a chord. Where Alt and AltGr/Option cannot be told apart it does not: it may type text. */
export interface ModifierKnowledge {
  readonly isAltCertain: boolean;
}

/**
 * What may leave the child of one key event: nothing, or a key id (0 when masked), packed detail (column `b`), and
 * whether its time and dwell are coarsened.
 */
export interface MaskedKey {
  readonly a: number;
  readonly b: number;
  readonly isMasked: boolean;
}

/** Modifiers that shape text rather than make a shortcut leave no event of their own: their timing tells capitals. */
const TEXT_MODIFIERS = new Set(
  ['ShiftLeft', 'ShiftRight', 'AltRight', 'CapsLock', 'NumLock', 'Fn'].map(keyId),
);
const ALT_LEFT = keyId('AltLeft');

/**
 * Decides what is kept of a key, from the event alone (its id and its own modifier state), never from history.
 * Returns `undefined` when nothing is kept.
 */
export function maskKey(
  mode: KeyMode,
  id: number,
  mods: number,
  isRepeat: boolean,
  knows: ModifierKnowledge,
): MaskedKey | undefined {
  if (mode === 'off') return undefined;
  const keyClass = keyClassOf(id);
  if (mode === 'full') return { a: id, b: packKeyDetail(keyClass, isRepeat, mods), isMasked: false };
  if (TEXT_MODIFIERS.has(id) || (id === ALT_LEFT && !knows.isAltCertain)) return undefined;
  const chordMods = MOD.ctrl | MOD.meta | (knows.isAltCertain ? MOD.alt : 0);
  const isChord = (mods & chordMods) !== 0;
  if (keyClass === 'text' && !(isChord && mode === 'shortcuts' && id !== 0)) {
    return { a: 0, b: packKeyDetail('text', isRepeat, 0), isMasked: true };
  }
  if (mode === 'activity') return { a: 0, b: packKeyDetail(keyClass, isRepeat, 0), isMasked: true };
  return { a: id, b: packKeyDetail(keyClass, isRepeat, mods), isMasked: false };
}
