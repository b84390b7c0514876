import { performance } from 'node:perf_hooks';
import type { EventColumns } from '../src/core/events.ts';
import { type Encoding, expectSame } from './format-encoding.ts';

/** User and system time of one run, milliseconds: the lower quartile of all rounds: what disturbs only adds. */
export interface Measured {
  readonly name: string;
  readonly bytes: number;
  readonly encodeMs: number;
  readonly decodeMs: number;
}

export interface Effort {
  /** A round is every encoding once; as many as fit in the time, within these. */
  readonly leastRounds: number;
  readonly mostRounds: number;
  readonly budgetMs: number;
  /** What takes less is run several times a round: the clock of CPU time is coarse and a garbage collection is not. */
  readonly leastRunMs: number;
}

interface Task {
  readonly run: () => unknown;
  readonly costsMs: number[];
}

/**
 * Encodes and decodes with each encoding, compares, then measures the CPU of all in turns, so that whatever else the
 * machine does hits each alike. Throws when one gives back other events than it got.
 */
export async function measure(
  encodings: readonly Encoding[],
  columns: EventColumns,
  effort: Effort,
): Promise<Measured[]> {
  const pairs: { name: string; bytes: number; encode: Task; decode: Task }[] = [];
  for (const { name, encode, decode } of encodings) {
    const bytes = await encode();
    expectSame(name.trim(), (await decode(bytes))(), columns);
    pairs.push({
      name,
      bytes: bytes.length,
      encode: await warmUp(encode, effort),
      decode: await warmUp(() => decode(bytes), effort),
    });
  }
  const tasks = [...pairs.map(({ encode }) => encode), ...pairs.map(({ decode }) => decode)];
  const endMs = performance.now() + effort.budgetMs;
  for (let round = 0; round < effort.mostRounds; round++) {
    if (round >= effort.leastRounds && performance.now() > endMs) break;
    for (const task of turned(tasks, round)) await measureOnce(task, effort);
  }
  return pairs.map(({ name, bytes, encode, decode }) => ({
    name,
    bytes,
    encodeMs: lowerQuartile(encode.costsMs),
    decodeMs: lowerQuartile(decode.costsMs),
  }));
}

/** Runs until the compiler has seen it. */
async function warmUp(run: () => unknown, { leastRunMs }: Effort): Promise<Task> {
  await runFor(run, 4 * leastRunMs);
  return { run, costsMs: [] };
}

/** Once for the caches and the allocator, unless it takes long, then measured. */
async function measureOnce({ run, costsMs }: Task, { leastRunMs }: Effort): Promise<void> {
  if ((costsMs[0] ?? 0) < leastRunMs) await run();
  const before = process.cpuUsage();
  const runs = await runFor(run, leastRunMs);
  const { user, system } = process.cpuUsage(before);
  costsMs.push((user + system) / 1000 / runs);
}

/** Runs at least once and at least so long; gives how many times. */
async function runFor(run: () => unknown, leastMs: number): Promise<number> {
  const endMs = performance.now() + leastMs;
  for (let runs = 1; ; runs++) {
    await run();
    if (performance.now() >= endMs) return runs;
  }
}

function lowerQuartile(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 2] ?? 0;
}

/** Another order every round: what one leaves behind for the next to clean up falls on each in turn. */
function turned<T>(items: readonly T[], by: number): T[] {
  const start = (by * 5) % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
