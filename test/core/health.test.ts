import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HEALTH_CODES, healthOf, parseHealth, UNKNOWN_CODE } from '../../src/core/health.ts';

/** What tells of a person: what they decided, where they are, what they use, whether they are there. */
const PERSONAL = [
  'paused',
  'exempt',
  'exemption-pending',
  'consent-missing',
  'consent-stale',
  'consent-revoked',
  'locked',
  'focus-excluded',
  'focus-unknown',
  'full-unavailable',
  'outside-capture-hours',
  'no-display',
  'display-gone',
  'killed',
  'over-cpu-limit',
  'on-battery',
  'not-wifi',
  'metered',
  'ssid-not-allowed',
  'captive-portal',
  'daily-budget',
  'outside-hours',
];

describe('what may be told of the program', () => {
  it('is of an allow list, sorted and each once, whatever stands', () => {
    expect(healthOf('1.2.3', 'x11', ['storage', ...PERSONAL, 'no-device', 'storage'])).toEqual({
      version: '1.2.3',
      backend: 'x11',
      codes: ['no-device', 'storage'],
    });
    const code = fc.oneof(fc.constantFrom(...PERSONAL, ...HEALTH_CODES), fc.string());
    fc.assert(
      fc.property(fc.array(code), (codes) => {
        for (const told of healthOf('1.2.3', null, codes).codes) expect(HEALTH_CODES.has(told)).toBe(true);
      }),
    );
  });

  it.each([
    ['evdev', 'evdev'],
    ['replay', 'unknown'],
    ['auto', 'unknown'],
    [null, 'unknown'],
  ])('names the way of capture %s as %s', (backend, told) => {
    expect(healthOf('1.2.3', backend, []).backend).toBe(told);
  });
});

describe('what is read of it', () => {
  it('is what was told', () => {
    fc.assert(
      fc.property(fc.subarray([...HEALTH_CODES]), (codes) => {
        const health = healthOf('1.2.3', 'x11', codes);
        expect(parseHealth({ ...health })).toEqual(health);
      }),
    );
  });

  it('keeps no word that is not known here, as those of a later version', () => {
    expect(
      parseHealth({ version: '9.0.0-rc.1', backend: 'wayland2', codes: ['paused', 'storage', 'new-fault'] }),
    ).toEqual({ version: '9.0.0-rc.1', backend: 'unknown', codes: ['storage', UNKNOWN_CODE] });
  });

  const right = { version: '1.2.3', backend: 'x11', codes: ['storage'] };
  it.each([
    ['a field too many', { ...right, pausedSince: 1 }],
    ['a field too few', { version: '1.2.3', codes: [] }],
    ['a version that is none', { ...right, version: 'ada@laptop' }],
    ['an endless version', { ...right, version: `1.2.3-${'a'.repeat(100)}` }],
    ['a back end that is text', { ...right, backend: 'x11 <b>' }],
    ['codes that are none', { ...right, codes: 'storage' }],
    ['a code that is a number', { ...right, codes: [5] }],
    ['a code that is a sentence', { ...right, codes: ['Ada was away'] }],
    ['a code without end', { ...right, codes: ['a'.repeat(41)] }],
    ['too many codes', { ...right, codes: Array.from({ length: 33 }, () => 'storage') }],
  ])('is nothing with %s', (_name, body) => {
    expect(parseHealth(body)).toBeNull();
  });
});
