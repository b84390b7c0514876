import { concatColumns } from '../core/concat-columns.ts';
import { type EventColumns, type LossCounts, NO_LOSS } from '../core/events.ts';
import { encodeBlock } from '../segment/block.ts';
import { encodeClockSync, encodeGap, encodeLoss } from '../segment/marks.ts';
import type { Gap } from '../segment/types.ts';

/** Batches that follow each other by one and the same clock, and the gap before them. */
interface Stretch {
  readonly gap: Gap | null;
  /** Wall minus monotonic time when the first of them came. */
  readonly offsetMs: number;
  readonly parts: EventColumns[];
}

/** A difference of the clocks beyond this is a step (or sleep), which readers must know of; below it is drift. */
const CLOCK_STEP_MS = 100;

/** Events that wait to be written, and what must stand between them. A stretch becomes a block. */
export class PendingEvents {
  #stretches: Stretch[] = [];
  #gap: Pick<Gap, 'kind' | 'startMonoMs'> | null = null;

  get isEmpty(): boolean {
    return this.#stretches.length === 0;
  }

  /** When the first event happened and wall minus monotonic time then; `null` when there is none. */
  get first(): { readonly monoMs: number; readonly offsetMs: number } | null {
    const [stretch] = this.#stretches;
    return stretch === undefined ? null : { monoMs: firstOf(stretch.parts), offsetMs: stretch.offsetMs };
  }

  /** Adds a batch with events. It begins a stretch after a gap, when the clock was set, and after sleep. */
  add(columns: EventColumns, offsetMs: number): void {
    const startMonoMs = firstOf([columns]);
    const last = this.#stretches.at(-1);
    // What a stopped process hands over last is older than the gap and belongs before it.
    const gap = this.#gap !== null && this.#gap.startMonoMs <= startMonoMs ? this.#gap : null;
    if (last !== undefined && gap === null && !isStep(last.offsetMs, offsetMs)) {
      last.parts.push(columns);
      return;
    }
    if (gap !== null) this.#gap = null;
    const ended = gap === null ? null : { ...gap, endMonoMs: startMonoMs };
    this.#stretches.push({ gap: ended, offsetMs, parts: [columns] });
  }

  /** Nothing is recorded from here on; it ends with the next event. One that has begun already goes on. */
  beginGap(kind: Gap['kind'], startMonoMs: number): void {
    this.#gap ??= { kind, startMonoMs };
  }

  /**
   * The journal's frames for all of it: a block of each stretch, and before it a gap that has ended, a step of the wall
   * clock since `clockOffsetMs`, what was `lost`. With them the offset that holds after them.
   */
  frames(clockOffsetMs: number, lost: LossCounts): { frames: Uint8Array[]; clockOffsetMs: number } {
    const frames: Uint8Array[] = [];
    let heldMs = clockOffsetMs;
    let unwritten = lost;
    for (const { gap, offsetMs, parts } of this.#stretches) {
      const monoMs = firstOf(parts);
      if (gap !== null) frames.push(encodeGap(gap));
      if (isStep(heldMs, offsetMs)) {
        heldMs = offsetMs;
        frames.push(encodeClockSync({ monoMs, wallMs: monoMs + offsetMs }));
      }
      if (unwritten.thinned + unwritten.redacted + unwritten.dropped > 0) frames.push(encodeLoss(unwritten));
      unwritten = NO_LOSS;
      const columns = concatColumns(parts);
      frames.push(encodeBlock(columns, 0, columns.count));
    }
    return { frames, clockOffsetMs: heldMs };
  }

  /** They were written. */
  clear(): void {
    this.#stretches = [];
  }

  /** Forgets what happened from a time on, milliseconds since the epoch; a gap begins there. Returns how many. */
  forgetFrom(wallMs: number): number {
    const before = countOf(this.#stretches.flatMap(({ parts }) => parts));
    this.#stretches = this.#stretches.flatMap((stretch) => {
      const parts = stretch.parts.map((part) => partBefore(part, wallMs - stretch.offsetMs));
      const kept = parts.filter(({ count }) => count > 0);
      if (kept.length === 0) this.#gap ??= stretch.gap;
      return kept.length === 0 ? [] : [{ ...stretch, parts: kept }];
    });
    return before - countOf(this.#stretches.flatMap(({ parts }) => parts));
  }

  /** Forgets them as if they had never come; returns how many. A gap before them goes on. */
  forget(): number {
    const count = countOf(this.#stretches.flatMap(({ parts }) => parts));
    this.#gap = this.#stretches.find(({ gap }) => gap !== null)?.gap ?? this.#gap;
    this.#stretches = [];
    return count;
  }
}

/** The first events of a batch, those before a time; a batch is in the order of time. */
function partBefore(part: EventColumns, monoMs: number): EventColumns {
  let count = 0;
  while (count < part.count && (part.t[count] ?? 0) < monoMs) count++;
  return { ...part, count };
}

function countOf(parts: readonly EventColumns[]): number {
  return parts.reduce((sum, part) => sum + part.count, 0);
}

function firstOf(parts: readonly EventColumns[]): number {
  return parts[0]?.t[0] ?? 0;
}

function isStep(beforeMs: number, nowMs: number): boolean {
  return Math.abs(nowMs - beforeMs) > CLOCK_STEP_MS;
}
