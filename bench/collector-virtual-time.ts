import { setImmediate as settled } from 'node:timers/promises';
import type { Clock, Instant, Timers } from '../src/core/clock.ts';

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly fire: () => void;
  isCancelled: boolean;
}

/** Time that jumps from one thing that happens to the next. Milliseconds from 0. */
export class VirtualTime implements Clock {
  readonly bootId = 'virtual';
  readonly #startWallMs: number;
  readonly #heap: Entry[] = [];
  #order = 0;
  #nowMs = 0;
  #hasWoken = false;

  constructor(startWallMs: number) {
    this.#startWallMs = startWallMs;
  }

  get ms(): number {
    return this.#nowMs;
  }

  now(): Instant {
    return { wallMs: this.#startWallMs + this.#nowMs, bootMs: this.#nowMs, monoMs: this.#nowMs };
  }

  at(atMs: number, fire: () => void): Entry {
    const entry = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, fire, isCancelled: false };
    push(this.#heap, entry);
    return entry;
  }

  async sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.at(this.#nowMs + ms, () => {
        this.#hasWoken = true;
        resolve();
      });
    });
  }

  /** One machine's timers. */
  timers(): Timers {
    const armed = new Map<string, Entry>();
    const clear = (name: string): void => {
      const entry = armed.get(name);
      if (entry !== undefined) entry.isCancelled = true;
      armed.delete(name);
    };
    return {
      set: (name, atBootMs, fire) => {
        clear(name);
        const entry = this.at(atBootMs, () => {
          armed.delete(name);
          fire();
        });
        armed.set(name, entry);
      },
      clear,
      recheck: () => undefined,
      list: () => [],
      stop: () => [...armed.keys()].forEach(clear),
    };
  }

  /** Lets things happen, each at its time, until `isOver` or nothing is left to happen. */
  async run(isOver: () => boolean): Promise<void> {
    for (let next = pop(this.#heap); next !== undefined && !isOver(); next = pop(this.#heap)) {
      if (next.isCancelled) continue;
      this.#nowMs = next.atMs;
      next.fire();
      // Whoever slept goes on before time does.
      if (this.#hasWoken) await settled();
      this.#hasWoken = false;
    }
  }
}

function isBefore(a: Entry | undefined, b: Entry | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function swap(heap: Entry[], a: number, b: number): void {
  const [first, second] = [heap[a], heap[b]];
  if (first === undefined || second === undefined) return;
  heap[a] = second;
  heap[b] = first;
}

function push(heap: Entry[], entry: Entry): void {
  let at = heap.push(entry) - 1;
  for (let up = (at - 1) >> 1; at > 0 && isBefore(heap[at], heap[up]); up = (at - 1) >> 1) {
    swap(heap, at, up);
    at = up;
  }
}

function pop(heap: Entry[]): Entry | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  heap[0] = last;
  for (let at = 0; ; ) {
    const [left, right] = [2 * at + 1, 2 * at + 2];
    const down = isBefore(heap[right], heap[left]) ? right : left;
    if (!isBefore(heap[down], heap[at])) return first;
    swap(heap, at, down);
    at = down;
  }
}
