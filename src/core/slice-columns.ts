import { type EventColumns, emptyColumns } from './events.ts';

/** The events in pieces that span less than `spanMs` each, in order. */
export function* splitByTime(columns: EventColumns, spanMs: number): Generator<EventColumns> {
  let from = 0;
  for (let at = 1; at <= columns.count; at++) {
    if (at < columns.count && (columns.t[at] ?? 0) - (columns.t[from] ?? 0) < spanMs) continue;
    yield sliceColumns(columns, from, at);
    from = at;
  }
}

/** Events `from` up to, not including, `to`; shares the memory of the whole. */
export function sliceColumns(columns: EventColumns, from: number, to: number): EventColumns {
  return {
    count: to - from,
    t: columns.t.subarray(from, to),
    kind: columns.kind.subarray(from, to),
    x: columns.x.subarray(from, to),
    y: columns.y.subarray(from, to),
    a: columns.a.subarray(from, to),
    b: columns.b.subarray(from, to),
  };
}

/** The events at these indexes, in the order given. */
export function selectColumns(columns: EventColumns, indexes: readonly number[]): EventColumns {
  const selected = { ...emptyColumns(indexes.length), count: indexes.length };
  for (const name of ['t', 'kind', 'x', 'y', 'a', 'b'] as const) {
    const [from, to] = [columns[name], selected[name]];
    indexes.forEach((index, at) => {
      to[at] = from[index] ?? 0;
    });
  }
  return selected;
}
