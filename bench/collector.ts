import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAX_UPLOADS } from '../src/collector/limit-options.ts';
import { REQUEST_LIMITS, requestLimits } from '../src/collector/request-limiter.ts';
import { SERVER_LIMITS } from '../src/collector/server-limits.ts';
import { simulateFleet } from './collector-fleet.ts';
import { measureFlood } from './collector-flood.ts';
import { comparePuts, type PutComparison } from './collector-put.ts';

/** Of all that both servers are asked, the collector is to do so much of what plain `node:http` does. */
const LEAST_RATIO = 0.9;
const MOST_REJECTED = 0.15;
const MOST_MINUTES = 40;
/** What a laptop may have at noon: one file, an hour's, and a morning's. */
const SEGMENTS_EACH = [1, 4, 8];

/**
 * `npm run bench collector [-- puts|fleet|flood]`: what the collector keeps a second against plain `node:http` that writes
 * the same durable files, what becomes of a fleet that plugs in at once before a collector that is as fast as that, and
 * what a slow flood of large bodies costs in memory.
 */
export async function run(args: readonly string[]): Promise<void> {
  const isWanted = (part: string): boolean => args.length === 0 || args.includes(part);
  const folder = mkdtempSync(join(tmpdir(), 'bench-collector-'));
  try {
    let putsPerSecond = 400;
    if (isWanted('puts')) putsPerSecond = reportPuts(await comparePuts(folder));
    if (isWanted('flood')) await reportFlood(folder);
    if (isWanted('fleet')) await reportFleet(putsPerSecond);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function reportPuts({ plain, collector, ratio, connections, cpuMs }: PutComparison): number {
  console.log(`PUT of 100 KB, ${connections} connections, in alternating seconds, medians, on ${tmpdir()}`);
  const line = (name: string, of: typeof plain, cpu: number): string =>
    `${name.padEnd(22)} ${of.perSecond.toFixed(0).padStart(6)}/s   median ${of.medianMs.toFixed(1)} ms   p99 ${of.p99Ms.toFixed(0)} ms   ${cpu.toFixed(2)} ms of CPU each`;
  console.log(line('plain node:http', plain, cpuMs.plain));
  console.log(line('telemetry-collector', collector, cpuMs.collector));
  console.log(
    `ratio ${ratio.toFixed(2)}: ${ratio >= LEAST_RATIO ? 'within' : 'short of'} the aim of ${LEAST_RATIO}`,
  );
  return collector.perSecond;
}

async function reportFlood(folder: string): Promise<void> {
  const { connections, sentBytes, beforeBytes, peakBytes } = await measureFlood(join(folder, 'flood'));
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  console.log(
    `slow flood: ${connections} bodies at once, ${mb(sentBytes)} in all: ${mb(beforeBytes)} of memory before, ${mb(peakBytes)} at most`,
  );
}

async function reportFleet(putsPerSecond: number): Promise<void> {
  console.log(
    `50,000 laptops plug in within 30 s; a collector of ${putsPerSecond.toFixed(0)} segments a second`,
  );
  console.log('segments each   start smear   rejected per accepted   99 % are done after');
  for (const segmentsEach of SEGMENTS_EACH)
    for (const hasStartSmear of [true, false]) {
      const { rejectedPerAccepted, doneMs } = await simulateFleet({
        laptops: 50_000,
        segmentsEach,
        segmentBytes: 100_000,
        hasStartSmear,
        seed: 1,
        putsPerSecond,
        maxBodies: MAX_UPLOADS,
        maxConnections: SERVER_LIMITS.maxConnections,
        requests: requestLimits(REQUEST_LIMITS.perDevice, REQUEST_LIMITS.inAll),
      });
      const minutes = doneMs === null ? Infinity : doneMs / 60_000;
      const isGood = rejectedPerAccepted <= MOST_REJECTED && minutes <= MOST_MINUTES;
      console.log(
        `${String(segmentsEach).padStart(13)}   ${(hasStartSmear ? 'yes' : 'no').padStart(11)}   ${rejectedPerAccepted.toFixed(3).padStart(21)}   ${minutes.toFixed(1).padStart(15)} min   ${!hasStartSmear ? '' : isGood ? 'within the aims' : 'short of the aims'}`,
      );
    }
}
