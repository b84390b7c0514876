import { type EventColumns, emptyColumns } from '../../core/events.ts';

/**
 * Events that wait to be sent, sorted by time, as growing columns. Inserting is cheap near the end, which is where
 * everything lands: nothing comes later than its time by more than a masked key's 100 ms.
 */
export class EventBuffer {
  #columns: EventColumns = emptyColumns(256);
  /** 1 where the time is a masked key's, rounded down: those come before exact events of the same millisecond. */
  #isCoarse = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Puts an event behind all that are not later; gives the place it got. */
  insert(t: number, kind: number, x: number, y: number, a: number, b: number): number {
    return this.#put(this.#placeFor(t, false), t, kind, x, y, a, b, 0);
  }

  /** Puts a masked key before all exact events of its rounded time, behind masked ones of the same. */
  insertCoarse(t: number, kind: number, x: number, y: number, a: number, b: number): number {
    return this.#put(this.#placeFor(t, true), t, kind, x, y, a, b, 1);
  }

  /** Where the pointer was just before the time `t` rounded down; `undefined` when nothing that old waits here. */
  positionBefore(t: number): { x: number; y: number } | undefined {
    const index = this.countBefore(t) - 1;
    if (index < 0) return undefined;
    return { x: this.#columns.x[index] ?? 0, y: this.#columns.y[index] ?? 0 };
  }

  /** How many events are earlier than `t`. */
  countBefore(t: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#columns.t[middle] ?? 0) < t) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** When the event at `index` happened; `undefined` when there is none. */
  timeAt(index: number): number | undefined {
    return index < this.#length ? this.#columns.t[index] : undefined;
  }

  /** Throws away all but the first `count` events. */
  keepFirst(count: number): void {
    this.#length = Math.min(this.#length, count);
  }

  /** Removes the first `count` events and hands them over. */
  take(count: number): EventColumns {
    const { t, kind, x, y, a, b } = this.#columns;
    const taken = {
      count,
      t: t.slice(0, count),
      kind: kind.slice(0, count),
      x: x.slice(0, count),
      y: y.slice(0, count),
      a: a.slice(0, count),
      b: b.slice(0, count),
    };
    for (const column of [t, kind, x, y, a, b, this.#isCoarse]) column.copyWithin(0, count, this.#length);
    this.#length -= count;
    return taken;
  }

  #placeFor(t: number, isCoarse: boolean): number {
    let place = this.#length;
    while (place > 0) {
      const before = this.#columns.t[place - 1] ?? 0;
      if (before < t) break;
      if (before === t && (!isCoarse || this.#isCoarse[place - 1] === 1)) break;
      place -= 1;
    }
    return place;
  }

  #put(
    place: number,
    t: number,
    kind: number,
    x: number,
    y: number,
    a: number,
    b: number,
    isCoarse: number,
  ): number {
    if (this.#length === this.#isCoarse.length) this.#grow();
    const columns = this.#columns;
    if (place < this.#length) {
      for (const column of [...columnsOf(columns), this.#isCoarse])
        column.copyWithin(place + 1, place, this.#length);
    }
    columns.t[place] = t;
    columns.kind[place] = kind;
    columns.x[place] = x;
    columns.y[place] = y;
    columns.a[place] = a;
    columns.b[place] = b;
    this.#isCoarse[place] = isCoarse;
    this.#length += 1;
    return place;
  }

  #grow(): void {
    const grown = emptyColumns(this.#isCoarse.length * 2);
    const old = this.#columns;
    grown.t.set(old.t);
    grown.kind.set(old.kind);
    grown.x.set(old.x);
    grown.y.set(old.y);
    grown.a.set(old.a);
    grown.b.set(old.b);
    const isCoarse = new Uint8Array(this.#isCoarse.length * 2);
    isCoarse.set(this.#isCoarse);
    this.#columns = grown;
    this.#isCoarse = isCoarse;
  }
}

function columnsOf(columns: EventColumns): (Float64Array | Int32Array | Uint8Array)[] {
  return [columns.t, columns.kind, columns.x, columns.y, columns.a, columns.b];
}
