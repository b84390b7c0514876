import { once } from 'node:events';
import { expect, it } from 'vitest';
import { CostMeter } from '../../src/daemon/cost-meter-node.ts';
import { runChild } from '../spool/child.ts';
import { HandClock } from './hand-clock.ts';

/** A process that computes for some 150 ms, sleeps many times, says so, and waits to be killed. */
const BUSY = new URL('./busy-child.ts', import.meta.url).pathname;

it.runIf(process.platform === 'linux')(
  'adds what the capture process costs, while it lives and after it died',
  async () => {
    const clock = new HandClock();
    let pid: number | null = null;
    const meter = new CostMeter(clock, () => pid);
    meter.sample();
    const alone = meter.report();
    expect(alone.cpuPercent).toBe(0);
    expect(alone.rssBytes).toBeGreaterThan(0);

    const { process: child, ended } = await busyChild();
    pid = child.pid ?? null;
    clock.advance(60_000);
    const both = meter.report();
    expect(both.cpuSeconds).toBeGreaterThan(alone.cpuSeconds + 0.1);
    expect(both.cpuPercent).toBeGreaterThan(0.1);
    expect(both.wakeupsPerMinute).toBeGreaterThan(20);
    expect(both.rssBytes).toBeGreaterThan(alone.rssBytes + 10_000_000);

    child.kill('SIGKILL');
    await ended;
    pid = null;
    const after = meter.report();
    expect(after.cpuSeconds).toBeGreaterThanOrEqual(both.cpuSeconds);
    expect(after.rssBytes).toBeLessThan(both.rssBytes);

    const next = await busyChild();
    pid = next.process.pid ?? null;
    expect(meter.report().cpuSeconds).toBeGreaterThan(after.cpuSeconds + 0.1);
  },
  30_000,
);

it('goes by the last hour, so that a busy start is forgotten', () => {
  const clock = new HandClock();
  const meter = new CostMeter(clock, () => null);
  meter.sample();
  burn(60);
  clock.advance(60_000);
  meter.sample();
  expect(meter.report().cpuPercent).toBeGreaterThan(0.05);
  for (let minute = 0; minute < 120; minute++) {
    clock.advance(60_000);
    meter.sample();
  }
  expect(meter.report().cpuPercent).toBeLessThan(0.01);
});

async function busyChild() {
  const started = Promise.withResolvers<undefined>();
  const child = runChild(BUSY, [], () => started.resolve(undefined));
  await Promise.race([started.promise, once(child.process, 'exit')]);
  return child;
}

/** Uses so much time of the processor, however busy the machine is. */
function burn(ms: number): void {
  const end = process.cpuUsage().user + ms * 1000;
  while (process.cpuUsage().user < end);
}
