import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Policy } from '../../src/core/policy.ts';
import { NO_COMMON_SSID } from '../../src/core/policy-fields.ts';
import {
  isPolicy,
  isPolicyPart,
  mergePolicy,
  overlayPolicy,
  POLICY_ENTRIES,
  type PolicyPart,
  widenings,
} from '../../src/core/policy-lattice.ts';
import { DEFAULT_POLICY } from '../../src/policy/defaults.ts';
import { anyPolicy } from './policy-arbitrary.ts';

const PRIVATE = POLICY_ENTRIES.filter(({ standing }) => standing === 'private');
const OTHERS = POLICY_ENTRIES.filter(({ standing }) => standing !== 'private');

function isSame(a: Policy, b: Policy, entries = POLICY_ENTRIES): boolean {
  return entries.every((entry) => entry.isSame(a, b));
}

/** Whether `a` is at least as private as `b` in every field a person may set. */
function isWithin(a: Policy, b: Policy): boolean {
  return PRIVATE.every((entry) => !entry.widens(b, a));
}

function changed(part: PolicyPart): Policy {
  return overlayPolicy(DEFAULT_POLICY, part);
}

describe('merging preferences into a policy', () => {
  test('never widens anything, whatever the preferences say', () => {
    fc.assert(
      fc.property(
        anyPolicy,
        anyPolicy,
        (policy, wish) => widenings(policy, mergePolicy(policy, wish)).length === 0,
      ),
    );
  });

  test('gives the policy itself when the preferences say the same', () => {
    fc.assert(
      fc.property(anyPolicy, (policy) => {
        expect(mergePolicy(policy, policy)).toEqual(policy);
      }),
    );
  });

  test('gives the policy itself when there are no preferences', () => {
    fc.assert(
      fc.property(anyPolicy, (policy) => {
        expect(mergePolicy(policy, {})).toEqual(policy);
      }),
    );
  });

  test('is idempotent: the same preferences again change nothing', () => {
    fc.assert(
      fc.property(anyPolicy, anyPolicy, (policy, wish) => {
        const once = mergePolicy(policy, wish);
        expect(mergePolicy(once, wish)).toEqual(once);
      }),
    );
  });

  test('is as private as the preferences where they may decide', () => {
    fc.assert(fc.property(anyPolicy, anyPolicy, (policy, wish) => isWithin(mergePolicy(policy, wish), wish)));
  });

  test('is commutative in every field that preferences may set', () => {
    fc.assert(
      fc.property(anyPolicy, anyPolicy, (a, b) => isSame(mergePolicy(a, b), mergePolicy(b, a), PRIVATE)),
    );
  });

  test('is associative', () => {
    fc.assert(
      fc.property(anyPolicy, anyPolicy, anyPolicy, (a, b, c) =>
        isSame(mergePolicy(mergePolicy(a, b), c), mergePolicy(a, mergePolicy(b, c))),
      ),
    );
  });

  test('is monotone: a more private policy or preference gives a more private result', () => {
    fc.assert(
      fc.property(anyPolicy, anyPolicy, anyPolicy, (a, b, more) => {
        const merged = mergePolicy(a, b);
        expect(isWithin(mergePolicy(mergePolicy(a, more), b), merged)).toBe(true);
        expect(isWithin(mergePolicy(a, mergePolicy(b, more)), merged)).toBe(true);
      }),
    );
  });

  test('leaves every field that is for the policy alone as it was', () => {
    fc.assert(
      fc.property(anyPolicy, anyPolicy, (policy, wish) => isSame(mergePolicy(policy, wish), policy, OTHERS)),
    );
  });

  test('allows no Wi-Fi at all when policy and preferences name none in common', () => {
    const policy = changed({ upload: { ssids: ['office'] } });
    const merged = mergePolicy(policy, { upload: { ssids: ['home'] } });
    expect(merged.upload.ssids).toEqual([NO_COMMON_SSID]);
    expect(NO_COMMON_SSID.length).toBeGreaterThan(32);
  });

  test('keeps the hours that both allow', () => {
    const policy = changed({ capture: { hours: 'Mon-Fri 08:00-18:00' } });
    expect(mergePolicy(policy, { capture: { hours: 'Fri-Sun 12:00-20:00' } }).capture.hours).toBe(
      'Fri 12:00-18:00',
    );
    expect(mergePolicy(policy, { capture: { hours: 'Sat 08:00-09:00' } }).capture.hours).toBe('never');
  });
});

describe('widenings', () => {
  test('there are none from a policy to itself', () => {
    fc.assert(fc.property(anyPolicy, (policy) => widenings(policy, policy).length === 0));
  });

  test('a chain of steps without any has none from end to end', () => {
    fc.assert(
      fc.property(anyPolicy, anyPolicy, anyPolicy, (a, b, c) => {
        const [second, third] = [mergePolicy(a, b), mergePolicy(mergePolicy(a, b), c)];
        expect(widenings(a, second)).toEqual([]);
        expect(widenings(second, third)).toEqual([]);
        expect(widenings(a, third)).toEqual([]);
      }),
    );
  });

  test('two policies that widen neither way mean the same but for what concerns no promise', () => {
    const promises = POLICY_ENTRIES.filter(({ standing }) => standing !== 'operational');
    fc.assert(
      fc.property(anyPolicy, anyPolicy, (a, b) => {
        if (widenings(a, b).length === 0 && widenings(b, a).length === 0)
          expect(isSame(a, b, promises)).toBe(true);
      }),
    );
  });

  const cases: [string, PolicyPart, PolicyPart, string | null][] = [
    [
      'more detail of keys',
      { capture: { keys: 'activity' } },
      { capture: { keys: 'shortcuts' } },
      'Detail of keys: was activity, is now shortcuts.',
    ],
    ['less detail of keys', { capture: { keys: 'shortcuts' } }, { capture: { keys: 'off' } }, null],
    [
      'keys where the application is unknown',
      {},
      { capture: { focusUnknown: 'record' } },
      'Where the application in use is not known: was no-keys, is now record.',
    ],
    [
      'an excluded application less',
      { exclude: { apps: ['A', 'B'] } },
      { exclude: { apps: ['B'] } },
      'Applications left out: was A, B, is now B.',
    ],
    ['an excluded application more', { exclude: { apps: ['A'] } }, { exclude: { apps: ['B', 'A'] } }, null],
    [
      'every key',
      { capture: { keys: 'shortcuts', fullApps: ['A'] } },
      { capture: { keys: 'full', fullApps: ['A'] } },
      'Detail of keys: was shortcuts, is now full.',
    ],
    [
      'an application more with every key recorded',
      { capture: { keys: 'full', fullApps: ['A'] } },
      { capture: { keys: 'full', fullApps: ['B', 'A'] } },
      'Applications with every key recorded: was A, is now B, A.',
    ],
    [
      'an application less with every key recorded',
      { capture: { keys: 'full', fullApps: ['A', 'B'] } },
      { capture: { keys: 'full', fullApps: ['B'] } },
      null,
    ],
    [
      'a window title less',
      { exclude: { titles: ['A', 'B'] } },
      { exclude: { titles: ['B'] } },
      'Window titles left out: was A, B, is now B.',
    ],
    [
      'longer hours',
      { capture: { hours: 'Mon 08:00-12:00' } },
      {},
      'Hours of collection: was Mon 08:00-12:00, is now always.',
    ],
    [
      'the same hours spelt otherwise',
      { capture: { hours: 'Mon,Tue 08:00-12:00' } },
      { capture: { hours: 'mon-tue 08:00-12:00' } },
      null,
    ],
    [
      'another destination',
      { upload: { url: 'https://a.test' } },
      { upload: { url: 'https://b.test' } },
      'Destination: was https://a.test, is now https://b.test.',
    ],
    [
      'a destination where there was none',
      {},
      { upload: { url: 'https://b.test' } },
      'Destination: was nowhere, is now https://b.test.',
    ],
    ['no destination any more', { upload: { url: 'https://a.test' } }, {}, null],
    ['a recipient less', { encrypt: { recipients: ['x', 'y'] } }, { encrypt: { recipients: ['y'] } }, null],
    [
      'a recipient more',
      { encrypt: { recipients: ['x'] } },
      { encrypt: { recipients: ['x', 'y'] } },
      'Who can open the files: was x, is now x, y.',
    ],
    ['no recipient any more but the person', { encrypt: { recipients: ['x'] } }, {}, null],
    [
      'another purpose',
      { notice: { purpose: 'a' } },
      { notice: { purpose: 'b' } },
      'Purpose: was a, is now b.',
    ],
    ['another address for questions', { notice: { contact: 'a' } }, { notice: { contact: 'b' } }, null],
    [
      'kept longer by the collector',
      { notice: { serverRetentionMs: 86_400_000 } },
      {},
      'Kept by the collector for: was 1d, is now not stated.',
    ],
    ['kept shorter by the collector', {}, { notice: { serverRetentionMs: 86_400_000 } }, null],
    ['shorter pauses', { pause: { maxMs: 7_200_000 } }, {}, 'Longest pause: was 2h, is now 30m.'],
    ['longer pauses', {}, { pause: { maxMs: 7_200_000 } }, null],
    [
      'a network more',
      {},
      { upload: { networks: ['wifi', 'ethernet'] } },
      'Networks to send on: was wifi, is now wifi, ethernet.',
    ],
    [
      'any Wi-Fi instead of one',
      { upload: { ssids: ['office'] } },
      {},
      'Wi-Fi names to send on: was office, is now any.',
    ],
    [
      'a bigger budget',
      {},
      { upload: { dailyBudgetBytes: 25_000_000 } },
      'Sent a day, at most: was 20MB, is now 25MB.',
    ],
    ['another schedule', {}, { upload: { schedule: '0 * * * *' } }, null],
    [
      'another back end and file length',
      {},
      { capture: { backend: 'uiohook' }, segment: { rollMs: 1000 } },
      null,
    ],
  ];
  test.each(cases)('%s', (_, from, to, words) => {
    expect(widenings(changed(from), changed(to))).toEqual(words === null ? [] : [words]);
  });
});

describe('the table of fields', () => {
  test('takes every policy as one, also after a trip through JSON', () => {
    fc.assert(
      fc.property(anyPolicy, (policy) => {
        expect(isPolicy(JSON.parse(JSON.stringify(policy)))).toBe(true);
        expect(isPolicyPart(policy)).toBe(true);
      }),
    );
  });

  test('takes nothing with a field missing, one too many or of a wrong type', () => {
    const wrong = { keys: 'some', mouseHz: Number.NaN, hours: 'soon', fullApps: [1], backend: null };
    for (const [name, value] of Object.entries(wrong)) {
      expect(isPolicy({ ...DEFAULT_POLICY, capture: { ...DEFAULT_POLICY.capture, [name]: value } })).toBe(
        false,
      );
    }
    expect(isPolicy({ ...DEFAULT_POLICY, extra: {} })).toBe(false);
    expect(isPolicy({ ...DEFAULT_POLICY, pause: { maxMs: 1, extra: 1 } })).toBe(false);
    expect(isPolicy({ ...DEFAULT_POLICY, pause: {} })).toBe(false);
    for (const thing of [null, undefined, 3, 'x', [], {}]) expect(isPolicy(thing)).toBe(false);
  });

  test('takes a part with some fields, and none with an unknown one', () => {
    expect(isPolicyPart({})).toBe(true);
    expect(isPolicyPart({ capture: { keys: 'off' } })).toBe(true);
    expect(isPolicyPart({ capture: { keyz: 'off' } })).toBe(false);
    expect(isPolicyPart({ toString: {} })).toBe(false);
    expect(isPolicyPart({ capture: { keys: undefined } })).toBe(false);
  });
});
