import { type EventColumns, emptyColumns } from '../src/core/events.ts';

/** One way to store events, made ready for one recording. */
export interface Encoding {
  readonly name: string;
  /** From what its user would have in hand (records or columns, made before) to the bytes of a whole file. */
  readonly encode: () => Uint8Array | Promise<Uint8Array>;
  /** From the file to what its reader gives; the returned function, not measured, makes columns of that. */
  readonly decode: (bytes: Uint8Array) => Decoded | Promise<Decoded>;
}

export type Decoded = () => EventColumns;

export type EventRow = readonly [t: number, kind: number, x: number, y: number, a: number, b: number];

/** Columns filled from `count` events, each given by index. */
export function columnsFrom(count: number, eventAt: (i: number) => EventRow): EventColumns {
  const columns = { ...emptyColumns(count), count };
  for (let i = 0; i < count; i++) {
    const [t, kind, x, y, a, b] = eventAt(i);
    columns.t[i] = t;
    columns.kind[i] = kind;
    columns.x[i] = x;
    columns.y[i] = y;
    columns.a[i] = a;
    columns.b[i] = b;
  }
  return columns;
}

/** Throws unless both hold the same events, to the millisecond: a format that loses something is not compared. */
export function expectSame(name: string, decoded: EventColumns, original: EventColumns): void {
  const columns = ['t', 'kind', 'x', 'y', 'a', 'b'] as const;
  if (decoded.count !== original.count) throw new Error(`${name} has another number of events`);
  for (const column of columns) {
    for (let i = 0; i < original.count; i++) {
      if (decoded[column][i] !== original[column][i]) {
        throw new Error(`${name} is not lossless: event ${i}, column ${column}`);
      }
    }
  }
}
