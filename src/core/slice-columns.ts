import type { EventColumns } from './events.ts';

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
