import { describe, expect, it } from 'vitest';
import { type CaptureResult, measureCapture } from '../../bench/capture.ts';
import { contenders, pipeline } from '../../bench/capture-contenders.ts';
import { usageOf } from '../../bench/capture-cost.ts';
import { aimLines, captureTable, LEGEND } from '../../bench/capture-table.ts';
import { hasX } from '../capture/xvfb.ts';

describe.skipIf(!hasX)('the cost of capture', { timeout: 120_000 }, () => {
  it('is measured of the whole pipeline, which misses no event of a thousand a second', async () => {
    const kinds = contenders().kinds.filter((kind) => kind === pipeline || kind.name.startsWith('x11'));
    const effort = { rates: [1000], warmSeconds: 1, seconds: 1, idleSeconds: 0 };
    const result = await measureCapture({ kinds, missing: [] }, effort);
    expect(result.counted).toBe(result.injected);
    expect(result.rows.map(({ name }) => name)).toEqual([pipeline.name, 'x11 back end alone']);
    for (const row of result.rows) {
      expect(row.cpuUsPerEvent).toBeGreaterThan(0);
      // Each event as it comes would be a thousand.
      expect(row.wakeupsPerSecond).toBeLessThan(300);
      expect(row.pssKb).toBeGreaterThan(1000);
    }
  });
});

describe('the table', () => {
  const row = { hz: 1000, wakeupsPerSecond: 20, anonKb: 30_720, pssKb: 40_960 };
  const result: CaptureResult = {
    rows: [
      { ...row, name: pipeline.name, cpuUsPerEvent: 10 },
      { ...row, name: 'xinput test-xi2 --root', cpuUsPerEvent: 40 },
    ],
    missing: ['a peer: not installed on this machine'],
    memory: [
      { cpuUs: 0, switches: 0, anonKb: 18_432, pssKb: 0 },
      { cpuUs: 0, switches: 0, anonKb: 14_336, pssKb: 0 },
    ],
    idleSwitchesPerMinute: 5,
    injected: 10,
    counted: 10,
  };

  it('sets each against xinput at its rate, says what was left out, and which aims were missed', () => {
    const text = [LEGEND, captureTable(result), ...aimLines(result)].join('\n');
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(text).toMatch(/telemetryd, to the journal +1000 +10\.0 +0\.25 +20\.0 +30\.0 +40\.0/);
    expect(text).toContain('left out: a peer');
    expect(text).toContain('CPU at 1000 Hz against xinput: 0.25 (aim 0.2, MISSED)');
    expect(text).toContain('CPU at 125 Hz against xinput: not measured (aim 0.7)');
    expect(text).toContain('daemon RssAnon MB: 18.00 (aim 20)');
    expect(text).toContain('capture process RssAnon MB: 14.00 (aim 12, MISSED)');
  });
});

it('usage counts up while a process works', () => {
  const before = usageOf([process.pid]);
  for (let i = 0; i < 2e7; i++) Math.sqrt(i);
  expect(usageOf([process.pid]).cpuUs).toBeGreaterThan(before.cpuUs);
});
