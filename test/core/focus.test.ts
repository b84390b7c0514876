import { describe, expect, test } from 'vitest';
import { decideFocus, type Focus, type FocusRules, focusReasons } from '../../src/core/focus.ts';
import type { Policy } from '../../src/core/policy.ts';
import { DEFAULT_POLICY } from '../../src/policy/defaults.ts';

const RULES: FocusRules = {
  keys: 'full',
  fullApps: ['XTerm', 'KeePassXC'],
  focusUnknown: 'record',
  exclude: { apps: ['KeePassXC'], titles: ['Incognito'] },
};
const window = (name: string, title = ''): Focus => ({
  kind: 'window',
  pid: 1,
  facts: { names: [name], titles: [title] },
});
const decide = (focus: Focus, rules: Partial<FocusRules> = {}) =>
  decideFocus(focus, { ...RULES, ...rules }, () => 'editor');

describe('what is recorded', () => {
  const cases: [string, ReturnType<typeof decide>, string, string | null][] = [
    ['every key in an application that the policy names', decide(window('xterm')), 'known', 'full'],
    ['shortcuts in any other', decide(window('Editor')), 'known', 'shortcuts'],
    ['shortcuts on the desktop', decide({ kind: 'desktop' }), 'known', 'shortcuts'],
    [
      'what the policy says when that is less',
      decide(window('xterm'), { keys: 'activity' }),
      'known',
      'activity',
    ],
    ['nothing in an excluded application, named or not', decide(window('KeePassXC')), 'excluded', null],
    ['nothing under an excluded title', decide(window('xterm', 'x (Incognito)')), 'excluded', null],
    ['nothing while locked or grabbed', decide({ kind: 'secret' }), 'excluded', null],
    [
      'shortcuts where nothing is known, if the policy says so',
      decide({ kind: 'unknown' }),
      'unknown',
      'shortcuts',
    ],
    [
      'no keys where nothing is known',
      decide({ kind: 'unknown' }, { focusUnknown: 'no-keys' }),
      'unknown',
      'off',
    ],
    [
      'nothing where nothing is known',
      decide({ kind: 'unknown' }, { focusUnknown: 'block' }),
      'unknown',
      null,
    ],
  ];
  test.each(cases)('is %s', (_, decision, name, keys) => {
    expect(decision).toEqual({ name, keys });
  });

  test('in a terminal that may have all recorded follows what it does with keys', () => {
    const keys = (shown: 'editor' | 'secret' | 'unclear') =>
      decideFocus(window('xterm'), RULES, () => shown).keys;
    expect([keys('editor'), keys('unclear'), keys('secret')]).toEqual(['full', 'activity', null]);
  });

  test('asks no process where it does not matter', () => {
    const ask = (): never => {
      throw new Error('asked');
    };
    expect(decideFocus(window('Editor'), RULES, ask).keys).toBe('shortcuts');
    expect(decideFocus(window('xterm'), { ...RULES, keys: 'shortcuts' }, ask).keys).toBe('shortcuts');
  });
});

describe('the person is told', () => {
  const codes = (focus: Parameters<typeof focusReasons>[0], capture: Partial<Policy['capture']> = {}) =>
    focusReasons(focus, { ...DEFAULT_POLICY.capture, ...capture }).map(({ code }) => code);

  test('what the focus takes away from what the policy asks for, and only that', () => {
    expect(codes('known')).toEqual([]);
    expect(codes(null)).toEqual([]);
    expect(codes('excluded')).toEqual(['focus-excluded']);
    expect(codes('unknown')).toEqual(['focus-unknown']);
    expect(codes('unknown', { keys: 'off' })).toEqual([]);
    expect(codes('unknown', { keys: 'off', focusUnknown: 'block' })).toEqual(['focus-unknown']);
    expect(codes('unknown', { focusUnknown: 'record' })).toEqual([]);
    expect(codes('unknown', { focusUnknown: 'record', keys: 'full' })).toEqual(['full-unavailable']);
  });
});
