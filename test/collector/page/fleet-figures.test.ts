import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HealthRecord } from '../../../src/collector/health-book.ts';
import { FAULT_WORDS } from '../../../src/collector/page/fault-words.ts';
import { deviceCount, fleetFigures } from '../../../src/collector/page/fleet-figures.ts';
import { HEALTH_CODES } from '../../../src/core/health.ts';

const NOW = Date.parse('2026-11-26T12:00:00Z');

function devices(count: number, more: Partial<HealthRecord> = {}): HealthRecord[] {
  return Array.from({ length: count }, (_, at) => ({
    device: `d-${at}`,
    day: '2026-11-25',
    version: '0.1.0',
    backend: 'x11',
    codes: [],
    ...more,
  }));
}

describe('a number of devices', () => {
  it.each([
    [0, '0'],
    [1, 'under 5'],
    [4, 'under 5'],
    [5, '5'],
    [7, '5'],
    [8, '10'],
    [49_999, '50000'],
  ])('of %d is shown as %s', (count, words) => expect(deviceCount(count).words).toBe(words));

  it('tells nobody that one device came or went', () => {
    fc.assert(
      fc.property(fc.nat(60_000), (count) => {
        const alike = [count - 2, count - 1, count + 1, count + 2].filter(
          (other) => other >= 0 && deviceCount(other).words === deviceCount(count).words,
        );
        if (count > 0) expect(alike.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('figures of the fleet', () => {
  it('count versions, ways of capture and faults of what was heard of in a month', () => {
    const { versions, backends, faults, heard, recent } = fleetFigures(
      [
        ...devices(12, { version: '0.10.0', codes: ['storage', 'quarantined'] }),
        ...devices(6, { version: '0.9.0', backend: 'evdev', codes: ['storage'], day: '2026-11-10' }),
        ...devices(1, { version: '0.8.0' }),
        ...devices(9, { version: '0.1.0', day: '2026-09-01', codes: ['no-device'] }),
      ],
      NOW,
    );
    const words = (groups: typeof versions) => groups.map(({ name, count }) => `${name}: ${count.words}`);
    expect(words(versions)).toEqual(['0.10.0: 10', '0.9.0: 5', '0.8.0: under 5']);
    expect(words(backends)).toEqual(['x11: 15', 'evdev: 5']);
    expect(words(faults)).toEqual(['storage: 20', 'quarantined: 10']);
    expect(heard.map(({ count }) => count.words)).toEqual(['15', '5', '10']);
    expect(recent.words).toBe('20');
  });

  it('have words for every fault that may be told', () => {
    expect(Object.keys(FAULT_WORDS).sort()).toEqual([...HEALTH_CODES, 'unknown-code'].sort());
  });
});
