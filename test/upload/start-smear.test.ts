import { describe, expect, it } from 'vitest';
import type { BlockerCode } from '../../src/core/gate.ts';
import { startSmearMs } from '../../src/upload/start-smear.ts';

const AWAY = 'https://collector.example.com';

describe('the wait after the gate opened', () => {
  it.each<[string, BlockerCode[], number]>([
    [
      'is up to half an hour when the clock opened it for everyone',
      ['on-battery', 'outside-hours'],
      1_800_000,
    ],
    ['is up to half an hour on a new day or in a new month', ['daily-budget', 'monthly-budget'], 1_800_000],
    ['is up to five minutes when power or network came back', ['on-battery', 'no-network'], 300_000],
    ['is none when only this device was waiting', ['hold-back', 'collector-backoff'], 0],
    ['is none when nothing had kept it closed', [], 0],
  ])('%s', (_name, ended, mostMs) => {
    expect(startSmearMs(ended, AWAY, () => 0)).toBe(0);
    expect(startSmearMs(ended, AWAY, () => 0.5)).toBe(mostMs / 2);
    expect(startSmearMs(ended, AWAY, () => 1 - Number.EPSILON)).toBeLessThanOrEqual(mostMs);
  });

  it('is none for a collector on this machine', () => {
    expect(startSmearMs(['outside-hours'], 'http://127.0.0.1:7717', () => 0.5)).toBe(0);
  });
});
