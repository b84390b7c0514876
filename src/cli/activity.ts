import type { EventRecord, KeyClass } from '../core/events.ts';
import type { OpenedSegment } from '../segment/open-segment.ts';
import { wallClock } from '../segment/records.ts';
import type { Gap, Segment } from '../segment/types.ts';

/** What happened within one step of time. */
export interface Slot {
  moves: number;
  clicks: number;
  notches: number;
  keys: number;
  awayMs: number;
  /** Why nothing was recorded, where that is so. */
  away: Gap['kind'] | null;
}

/** Key presses of a class by how much was kept of them. */
export interface KeyTally {
  /** Of each that was kept by name, as one would say it: `ctrl+KeyC`. */
  readonly named: Map<string, number>;
  /** Kept as the class alone. */
  masked: number;
}

/**
 * Sums up events of any number of segments by steps of time, and key presses by what was kept of them. Memory grows with
 * the time covered and with the keys there are, not with events.
 */
export class Activity {
  readonly stepMs: number;
  readonly #sinceMs: number;
  readonly slots = new Map<number, Slot>();
  readonly keys = new Map<KeyClass, KeyTally>();
  events = 0;
  /** Of the first and last thing that was counted; `null` before any. */
  extentMs: { first: number; last: number } | null = null;

  constructor(stepMs: number, sinceMs = -Infinity) {
    this.stepMs = stepMs;
    this.#sinceMs = sinceMs;
  }

  add(segment: Pick<OpenedSegment, 'events'> & Segment): void {
    for (const record of segment.events()) if (record.t >= this.#sinceMs) this.#addEvent(record);
    const toWall = wallClock(segment);
    for (const { kind, startMonoMs, endMonoMs } of segment.gaps) {
      const startMs = toWall(startMonoMs);
      const ms = Math.max(0, endMonoMs - startMonoMs);
      if (startMs + ms < this.#sinceMs) continue;
      const slot = this.#slotAt(Math.max(startMs, this.#sinceMs));
      slot.awayMs += Math.min(ms, startMs + ms - this.#sinceMs);
      slot.away = kind;
    }
  }

  #addEvent(record: EventRecord): void {
    const slot = this.#slotAt(record.t);
    this.events++;
    if (record.kind === 'move') slot.moves++;
    else if (record.kind === 'down') slot.clicks++;
    else if (record.kind === 'wheel') slot.notches++;
    else if (record.kind === 'keydown') {
      slot.keys++;
      this.#addKey(record);
    }
  }

  #addKey({ key, class: keyClass = 'text', mods = [] }: EventRecord): void {
    const tally = this.keys.get(keyClass) ?? { named: new Map<string, number>(), masked: 0 };
    this.keys.set(keyClass, tally);
    if (key === undefined) {
      tally.masked++;
      return;
    }
    const name = [...mods, key].join('+');
    tally.named.set(name, (tally.named.get(name) ?? 0) + 1);
  }

  #slotAt(wallMs: number): Slot {
    const { first, last } = this.extentMs ?? { first: wallMs, last: wallMs };
    this.extentMs = { first: Math.min(first, wallMs), last: Math.max(last, wallMs) };
    const number = Math.floor(wallMs / this.stepMs);
    const slot = this.slots.get(number) ?? emptySlot();
    this.slots.set(number, slot);
    return slot;
  }
}

/** The same slots in steps that are `times` as long. */
export function inLongerSteps(slots: ReadonlyMap<number, Slot>, times: number): Map<number, Slot> {
  const longer = new Map<number, Slot>();
  for (const [number, slot] of slots) {
    const at = Math.floor(number / times);
    const sum = longer.get(at) ?? emptySlot();
    longer.set(at, sum);
    for (const field of ['moves', 'clicks', 'notches', 'keys', 'awayMs'] as const) sum[field] += slot[field];
    sum.away ??= slot.away;
  }
  return longer;
}

function emptySlot(): Slot {
  return { moves: 0, clicks: 0, notches: 0, keys: 0, awayMs: 0, away: null };
}
