import type { Random } from '../src/core/clock.ts';
import { Laptop } from './collector-laptop.ts';
import { ModelCollector, type ModelOptions } from './collector-model.ts';
import { VirtualTime } from './collector-virtual-time.ts';

/** A fleet that plugs in at once. */
export interface FleetOptions extends ModelOptions {
  readonly laptops: number;
  readonly segmentsEach: number;
  readonly segmentBytes: number;
  /** `false`: laptops that start as soon as they may, for comparison. */
  readonly hasStartSmear: boolean;
  readonly seed: number;
}

/** What became of it. */
export interface FleetOutcome {
  readonly accepted: number;
  readonly rejected: number;
  readonly closed: number;
  readonly rejectedPerAccepted: number;
  /** From the first plug to when 99 of 100 laptops have sent all they had; `null`: not within a day. */
  readonly doneMs: number | null;
}

/** Everyone plugs in within this: an office after a power cut, or a lecture that ends. */
const PLUG_IN_MS = 30_000;
const DAY_MS = 86_400_000;
/** A working day's morning; any would do. */
const START_WALL_MS = Date.UTC(2026, 6, 1, 7);

/** Drives the real client policy of each laptop against the real admission of one collector, in virtual time. */
export async function simulateFleet(options: FleetOptions): Promise<FleetOutcome> {
  const time = new VirtualTime(START_WALL_MS);
  const collector = new ModelCollector(time, options);
  const random = randomFrom(options.seed);
  const laptops: Laptop[] = [];
  for (let n = 0; n < options.laptops; n++) {
    const device = `laptop-${n}`;
    const { segmentsEach: segments, segmentBytes, hasStartSmear } = options;
    const own = hasStartSmear ? random : withoutFirst(random);
    const laptop = new Laptop(time, collector, { device, segments, segmentBytes, random: own });
    await laptop.start();
    time.at(random() * PLUG_IN_MS, () => laptop.plugIn());
    laptops.push(laptop);
  }
  const needed = Math.ceil(options.laptops * 0.99);
  let doneMs: number | null = null;
  await time.run(() => {
    if (doneMs === null && collector.accepted >= needed * options.segmentsEach)
      if (laptops.filter(({ isDone }) => isDone).length >= needed) doneMs = time.ms;
    return time.ms > DAY_MS || collector.accepted === options.laptops * options.segmentsEach;
  });
  const { accepted, rejected, closed } = collector;
  return { accepted, rejected, closed, rejectedPerAccepted: (rejected + closed) / accepted, doneMs };
}

/** The first number a laptop draws is its place in the start smear. */
function withoutFirst(random: Random): Random {
  let isFirst = true;
  return () => {
    const drawn = isFirst ? 0 : random();
    isFirst = false;
    return drawn;
  };
}

/** Mulberry32 (Tommy Ettinger, public domain): the same run for the same seed. */
function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
