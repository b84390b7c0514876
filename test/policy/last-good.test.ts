import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LoadedPolicy } from '../../src/core/policy.ts';
import { DEFAULT_POLICY } from '../../src/policy/defaults.ts';
import { asLastGood, decodeLastGood, encodeLastGood } from '../../src/policy/last-good.ts';
import { policyId } from '../../src/policy/policy-id.ts';
import { anyPolicy } from '../core/policy-arbitrary.ts';

function loaded(policy = DEFAULT_POLICY): LoadedPolicy {
  return {
    policy,
    id: policyId(policy),
    source: '/etc/telemetryd/policy.toml',
    origins: { 'capture.keys': 'policy' },
    problems: [{ severity: 'notice', where: 'p:1:1', text: 'x', hint: 'y' }],
  };
}

const trip = (thing: object): unknown => JSON.parse(JSON.stringify(thing));

describe('the last good policy', () => {
  test('comes back from its file as it went in', () => {
    fc.assert(
      fc.property(anyPolicy, (policy) => {
        expect(decodeLastGood(trip(encodeLastGood(loaded(policy))))).toEqual(loaded(policy));
      }),
    );
  });

  test('is refused when anything in it was changed', () => {
    const good = loaded();
    const bad: unknown[] = [
      null,
      [],
      {},
      { schema: 2, loaded: good },
      { schema: 1, loaded: null },
      { schema: 1, loaded: { ...good, id: '0000000000000000' } },
      {
        schema: 1,
        loaded: { ...good, policy: { ...good.policy, capture: { ...good.policy.capture, keys: 'off' } } },
      },
      { schema: 1, loaded: { ...good, policy: { ...good.policy, capture: {} } } },
      { schema: 1, loaded: { ...good, source: 3 } },
      { schema: 1, loaded: { ...good, origins: { 'capture.keys': 'someone' } } },
      { schema: 1, loaded: { ...good, problems: [{ severity: 'error' }] } },
    ];
    for (const json of bad) expect(() => decodeLastGood(json)).toThrow('damaged or of another version');
  });

  test('in force says that it is the last good one, and why', () => {
    const problems = [{ severity: 'error', where: 'p:3:1', text: 'no', hint: '' }] as const;
    expect(asLastGood(loaded(), problems)).toMatchObject({ source: 'last-good', id: loaded().id, problems });
  });
});
