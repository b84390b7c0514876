import type { Reason } from './collection.ts';
import type { KeyMode } from './masking.ts';
import type { Policy } from './policy.ts';
import { type Exclusion, isExcluded, isNamed, type WindowFacts } from './window-match.ts';

/**
 * What a source of focus sees. `secret`: the session is locked, something has grabbed the keyboard, or the source works
 * and cannot tell what is in use. `unknown`: no source works here.
 */
export type Focus =
  | { readonly kind: 'window'; readonly facts: WindowFacts; readonly pid: number }
  | { readonly kind: 'desktop' }
  | { readonly kind: 'secret' }
  | { readonly kind: 'unknown' };

/** As the status shows it: never which application, nor which title. */
export type FocusName = 'known' | 'unknown' | 'excluded';

/** The rules of a policy that the focus decides about. */
export interface FocusRules {
  readonly keys: KeyMode;
  readonly fullApps: readonly string[];
  readonly focusUnknown: Policy['capture']['focusUnknown'];
  readonly exclude: Exclusion;
}

/** What may be recorded. `keys: null`: nothing at all. */
export interface FocusDecision {
  readonly name: FocusName;
  readonly keys: KeyMode | null;
}

/**
 * What the program of a window does with keys: `editor` shows them, `secret` asks for one (a terminal with its echo
 * off), `unclear` cannot be told.
 */
export type KeysShown = 'editor' | 'secret' | 'unclear';

/** Decides what may be recorded while `focus` lasts; `gate` is asked of a process only where it matters. In doubt less. */
export function decideFocus(
  focus: Focus,
  rules: FocusRules,
  gate: (pid: number) => KeysShown,
): FocusDecision {
  const usual = rules.keys === 'full' ? 'shortcuts' : rules.keys;
  switch (focus.kind) {
    case 'secret':
      return { name: 'excluded', keys: null };
    case 'unknown':
      if (rules.focusUnknown === 'block') return { name: 'unknown', keys: null };
      return { name: 'unknown', keys: rules.focusUnknown === 'record' ? usual : 'off' };
    case 'desktop':
      return { name: 'known', keys: usual };
    case 'window':
      if (isExcluded(focus.facts, rules.exclude)) return { name: 'excluded', keys: null };
      if (rules.keys !== 'full' || !isNamed(focus.facts, rules.fullApps))
        return { name: 'known', keys: usual };
      return FULL[gate(focus.pid)];
  }
}

const FULL: Readonly<Record<KeysShown, FocusDecision>> = {
  editor: { name: 'known', keys: 'full' },
  secret: { name: 'excluded', keys: null },
  unclear: { name: 'known', keys: 'activity' },
};

/** What the focus changes of what the policy asks for, in words; empty when nothing. */
export function focusReasons(focus: FocusName | null, { keys, focusUnknown }: Policy['capture']): Reason[] {
  if (focus === 'excluded') return [REASONS.excluded];
  if (focus !== 'unknown') return [];
  if (focusUnknown !== 'record')
    return keys === 'off' && focusUnknown === 'no-keys' ? [] : [REASONS[focusUnknown]];
  return keys === 'full' ? [REASONS.full] : [];
}

const REASONS = {
  excluded: {
    code: 'focus-excluded',
    text: 'Nothing is recorded at this moment: the window in use is left out, locked, a prompt, or cannot be told.',
    hint: 'nothing to do: it goes on with the next window that may be recorded',
  },
  'no-keys': {
    code: 'focus-unknown',
    text: 'Which application is in use cannot be told here, so no keys are recorded.',
    hint: 'a window manager that tells it (EWMH), or capture.focus_unknown = "record" in the policy',
  },
  block: {
    code: 'focus-unknown',
    text: 'Which application is in use cannot be told here, so nothing is recorded.',
    hint: 'a window manager that tells it (EWMH), or another capture.focus_unknown in the policy',
  },
  full: {
    code: 'full-unavailable',
    text: 'Which application is in use cannot be told here, so keys are recorded as with keys = "shortcuts".',
    hint: 'a window manager that tells it (EWMH)',
  },
} as const satisfies Record<string, Reason>;
