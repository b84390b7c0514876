import { type EventColumns, emptyColumns } from './events.ts';

/** One set of columns that holds the events of several, in their order. */
export function concatColumns(parts: readonly EventColumns[]): EventColumns {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const all = { ...emptyColumns(count), count };
  let at = 0;
  for (const part of parts) {
    for (const name of ['t', 'kind', 'x', 'y', 'a', 'b'] as const) {
      all[name].set(part[name].subarray(0, part.count), at);
    }
    at += part.count;
  }
  return all;
}
