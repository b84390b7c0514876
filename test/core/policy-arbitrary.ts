import fc from 'fast-check';
import type { Policy } from '../../src/core/policy.ts';

/** Few distinct values each, so that two policies often agree in a field and often differ in one only. */
const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 });
const count = fc.integer({ min: 1, max: 4 });
const text = fc.constantFrom('', 'one', 'two');
const hours = fc.constantFrom(
  '',
  'never',
  'Mon-Fri 08:00-18:00',
  'Mon,Tue,Wed,Thu,Fri 08:00-18:00',
  'Mon-Fri 12:00-20:00',
  'Sat 22:00-02:00',
  'Sun 00:00-01:30; Wed 09:00-09:30',
);

/** Any policy, possible in a file or not. */
export const anyPolicy: fc.Arbitrary<Policy> = fc.record({
  capture: fc.record({
    keys: fc.constantFrom('off', 'activity', 'shortcuts', 'full'),
    mouseHz: count,
    backend: fc.constantFrom('auto', 'uiohook'),
    hours,
    focusUnknown: fc.constantFrom('no-keys', 'block', 'record'),
    fullApps: names,
  }),
  notice: fc.record({
    controller: text,
    contact: text,
    purpose: text,
    basis: text,
    readers: text,
    serverRetentionMs: fc.option(count),
  }),
  encrypt: fc.record({ recipients: names }),
  exclude: fc.record({ apps: names, titles: names }),
  pause: fc.record({ maxMs: count }),
  segment: fc.record({ rollMs: count, flushMs: count }),
  spool: fc.record({ limitBytes: count, retentionMs: count, keepSentMs: count }),
  upload: fc.record({
    url: fc.constantFrom('', 'http://127.0.0.1:1', 'https://example.com'),
    power: fc.constantFrom('ac', 'any'),
    networks: fc.uniqueArray(fc.constantFrom('wifi', 'ethernet', 'cellular'), { maxLength: 3 }),
    isNetworksExplicit: fc.boolean(),
    metered: fc.boolean(),
    ssids: names,
    holdBackMs: count,
    dailyBudgetBytes: count,
    monthlyBudgetBytes: count,
    rateBytesPerSecond: count,
    schedule: fc.constantFrom('*/15 * * * *', '0 * * * *'),
    hours,
  }),
  exemptions: fc.record({ whilePending: fc.constantFrom('withhold', 'pause'), recipients: names }),
  limits: fc.record({ cpuFraction: fc.constantFrom(0.01, 0.02), memoryBytes: count }),
});
