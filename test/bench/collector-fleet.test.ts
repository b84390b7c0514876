import { expect, it } from 'vitest';
import { simulateFleet } from '../../bench/collector-fleet.ts';
import { requestLimits } from '../../src/collector/request-limiter.ts';

/** What 50,000 laptops are to a collector of 500 segments a second and some hundred places, 83 times smaller. */
const SMALL = {
  laptops: 600,
  segmentsEach: 3,
  segmentBytes: 100_000,
  putsPerSecond: 6,
  maxBodies: 8,
  maxConnections: 40,
  requests: requestLimits(100, 1000),
  seed: 7,
};

it('a fleet that plugs in at once is rarely refused and through within 40 minutes, and not so without a smear', async () => {
  const spread = await simulateFleet({ ...SMALL, hasStartSmear: true });
  expect(spread.accepted).toBe(1800);
  expect(spread.rejectedPerAccepted).toBeLessThan(0.15);
  expect(spread.doneMs ?? Infinity).toBeLessThan(40 * 60_000);
  const atOnce = await simulateFleet({ ...SMALL, hasStartSmear: false });
  expect(atOnce.rejectedPerAccepted).toBeGreaterThan(2 * spread.rejectedPerAccepted);
});
