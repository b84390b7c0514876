import { cpus } from 'node:os';
import { type Comparison, compare } from './format-compare.ts';
import type { Effort } from './format-measure.ts';
import { recordings } from './format-recordings.ts';
import { LEGEND, table } from './format-table.ts';

/** Nine recordings in under two minutes. */
const EFFORT: Effort = { leastRounds: 5, mostRounds: 15, budgetMs: 3000, leastRunMs: 20 };

/**
 * The segment file against what else could hold the same events, side by side: size and CPU on the recordings beside
 * the checkout, where there are any, and on generated work. `--json` prints one object instead of tables.
 */
export async function run(args: readonly string[]): Promise<void> {
  const isJson = args.includes('--json');
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown' };
  if (!isJson) console.log(`Node ${machine.node}, ${machine.cpu}\n\n${LEGEND}`);
  const comparisons: Comparison[] = [];
  for await (const recording of recordings()) {
    const comparison = await compare(recording, EFFORT);
    comparisons.push(comparison);
    if (!isJson) console.log(`\n${table(comparison)}`);
  }
  if (isJson)
    console.log(JSON.stringify({ schema: 1, ...machine, recordings: comparisons.map(asJson) }, null, 2));
}

/** Everything but the events themselves. */
export function asJson({ recording, ...rest }: Comparison): object {
  const { name, isGenerated, columns, seconds, activeSeconds } = recording;
  const eventsPerSecond = columns.count / seconds;
  return { name, isGenerated, events: columns.count, seconds, activeSeconds, eventsPerSecond, ...rest };
}
