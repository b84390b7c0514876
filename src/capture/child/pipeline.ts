import { type EventColumns, KIND, type LossCounts, MADE_UP } from '../../core/events.ts';
import { type KeyMode, MASKED_TIME_QUANTUM_MS, type ModifierKnowledge } from '../../core/masking.ts';
import type { InputSink } from './backend.ts';
import { EventBuffer } from './event-buffer.ts';
import { KeyTrack } from './key-track.ts';
import { MoveThinner } from './thinning.ts';

export interface PipelineOptions {
  readonly mouseHz: number;
  readonly knows: ModifierKnowledge;
  /** Events that may wait here while the daemon does not read; the rest is dropped and counted. */
  readonly maxWaiting: number;
  /** Nothing leaves before {@link Pipeline.ripen} says so. */
  readonly ripens: boolean;
}

/**
 * From what a back end sees to what may leave the child: thinned, masked, in order. Pure: it has no clock and sends
 * nothing itself.
 *
 * A masked key's time is rounded down to 100 ms and it is sorted by that, so it may land before events that came
 * earlier. Therefore the events of the last 100 ms, or what is undecided, stay until something newer came or
 * {@link settle} says that nothing will.
 *
 * Nothing counts before {@link allow}: an event with an older stamp, however late it comes, was made while nothing was
 * to be recorded. Events ripen before they leave, by {@link ripen}; {@link withhold} throws away all that are not ripe.
 */
export class Pipeline implements InputSink {
  readonly #buffer = new EventBuffer();
  readonly #thinner: MoveThinner;
  readonly #keys: KeyTrack;
  readonly #maxWaiting: number;
  #lastMs = Number.NEGATIVE_INFINITY;
  #cutoffMs = Number.POSITIVE_INFINITY;
  /** What is older does not count; infinite while nothing does. */
  #sinceMs = Number.POSITIVE_INFINITY;
  /** Everything before this is ripe; on the start of a masked key's 100 ms, so that its rounded time tells the truth. */
  #ripeMs: number;
  /** Everything before this may be sent, whatever comes: set by {@link settle}. */
  #settledMs = Number.NEGATIVE_INFINITY;
  #sentMs = Number.NEGATIVE_INFINITY;
  #sentX = 0;
  #sentY = 0;
  #x = 0;
  #y = 0;
  #dropped = 0;
  #withheld = 0;

  constructor(options: PipelineOptions) {
    this.#maxWaiting = options.maxWaiting;
    this.#ripeMs = options.ripens ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    this.#thinner = new MoveThinner(options.mouseHz, (tMs, x, y) => this.#insert(tMs, KIND.move, x, y, 0, 0));
    this.#keys = new KeyTrack(options.knows, (tMs, kind, a, b, isMasked) => {
      if (isMasked) this.#insertMasked(tMs, kind, a, b);
      else this.#insert(tMs, kind, this.#x, this.#y, a, b);
    });
  }

  /**
   * What was left out so far. A stretch that was withheld counts as one, whatever was in it: how many keys a password
   * has would be told by their number.
   */
  get loss(): LossCounts {
    const redacted = this.#keys.redacted + this.#withheld;
    return { thinned: this.#thinner.thinned, redacted, dropped: this.#dropped };
  }

  /** Whether anything waits, decided or not. */
  get isEmpty(): boolean {
    return this.#buffer.length === 0 && this.#undecidedSinceMs() === Number.POSITIVE_INFINITY;
  }

  get waiting(): number {
    return this.#buffer.length;
  }

  /** How many positions a second are kept from now on. */
  setMouseHz(mouseHz: number): void {
    this.#thinner.setRate(mouseHz);
  }

  /** Nothing later than `tMs` counts from now on: the moment at which capture was told to stop. */
  cutOff(tMs: number): void {
    this.#cutoffMs = tMs;
  }

  /** Events from `sinceMs` on count, with so much of their keys. */
  allow(sinceMs: number, keys: KeyMode): void {
    this.#sinceMs = sinceMs;
    this.#keys.setMode(keys);
  }

  /**
   * Nothing counts any more, and what is not ripe never leaves. Gives the time of the first event that was thrown away;
   * `undefined` when there was none.
   */
  withhold(): number | undefined {
    this.#keys.withhold();
    if (this.#sinceMs === Number.POSITIVE_INFINITY) return undefined;
    this.#sinceMs = Number.POSITIVE_INFINITY;
    this.#withheld += 1;
    this.#thinner.forget();
    // Nothing comes that could still go before what is ripe: it leaves before whatever follows the gap.
    this.#settledMs = Number.POSITIVE_INFINITY;
    const kept = this.#buffer.countBefore(this.#ripeMs);
    const firstMs = this.#buffer.timeAt(kept);
    this.#buffer.keepFirst(kept);
    return firstMs;
  }

  /** Everything before `tMs` is known to be of a time that may be recorded. */
  ripen(tMs: number): void {
    this.#ripeMs = Math.max(this.#ripeMs, roundDown(tMs));
  }

  place(x: number, y: number): void {
    this.#x = x;
    this.#y = y;
    this.#sentX = x;
    this.#sentY = y;
  }

  move(tMs: number, x: number, y: number): void {
    if (!this.#moveTo(tMs, x, y)) return;
    this.#thinner.move(this.#lastMs, x, y);
  }

  button(tMs: number, isDown: boolean, button: number, x: number, y: number): void {
    if (!this.#moveTo(tMs, x, y)) return;
    this.#thinner.settle();
    this.#insert(this.#lastMs, isDown ? KIND.down : KIND.up, x, y, button, 0);
  }

  wheel(tMs: number, x: number, y: number, dx: number, dy: number): void {
    if (!this.#moveTo(tMs, x, y)) return;
    this.#thinner.settle();
    this.#insert(this.#lastMs, KIND.wheel, x, y, dx, dy);
  }

  key(tMs: number, isDown: boolean, code: number, id: number, mods: number, isRepeat: boolean): void {
    if (!this.#moveOn(tMs)) {
      this.#keys.pass(Math.floor(tMs), isDown, code);
      return;
    }
    this.#keys.key(this.#lastMs, isDown, code, id, mods, isRepeat);
  }

  buttonGone(tMs: number, button: number, x: number, y: number): void {
    if (!this.#moveOn(tMs)) return;
    this.#thinner.settle();
    this.#insert(this.#lastMs, KIND.up, x, y, button, MADE_UP);
  }

  keyGone(tMs: number, code: number, id: number, mods: number): void {
    if (this.#moveOn(tMs)) this.#keys.gone(this.#lastMs, code, id, mods);
  }

  lost(): void {
    this.#dropped += 1;
  }

  /** Nothing more is to be expected for now: all that waits becomes ready. */
  settle(): void {
    this.#thinner.settle();
    this.#keys.settle();
    this.#settledMs = Number.POSITIVE_INFINITY;
  }

  /** How many events can be sent now, of those before `beforeMs`. */
  countReady(beforeMs = Number.POSITIVE_INFINITY): number {
    return this.#buffer.countBefore(Math.min(beforeMs, this.#readyMs()));
  }

  /** Whether all there ever will be before `tMs` can be sent now, or was. */
  isReadyUntil(tMs: number): boolean {
    return this.#readyMs() >= tMs;
  }

  /** Removes and gives the first `count` events; ask {@link countReady} before. */
  take(count: number): EventColumns {
    const columns = this.#buffer.take(count);
    if (count > 0) {
      this.#sentMs = columns.t[count - 1] ?? this.#sentMs;
      this.#sentX = columns.x[count - 1] ?? 0;
      this.#sentY = columns.y[count - 1] ?? 0;
    }
    return columns;
  }

  /** The pointer is there now, also where that does not count: a key after it has the true position. */
  #moveTo(tMs: number, x: number, y: number): boolean {
    if (tMs > this.#cutoffMs) return false;
    const counts = this.#moveOn(tMs);
    this.#x = x;
    this.#y = y;
    return counts;
  }

  /** The source's time, made never to fall; false when the event does not count. */
  #moveOn(tMs: number): boolean {
    if (tMs > this.#cutoffMs || tMs < this.#sinceMs) return false;
    this.#settledMs = Number.NEGATIVE_INFINITY;
    this.#lastMs = Math.max(this.#lastMs, Math.floor(tMs));
    this.#keys.advance(this.#lastMs);
    return true;
  }

  #readyMs(): number {
    const quantumStartMs = roundDown(this.#lastMs);
    const decidedMs = Math.max(this.#settledMs, Math.min(quantumStartMs, this.#undecidedSinceMs()));
    return Math.min(decidedMs, this.#ripeMs);
  }

  #undecidedSinceMs(): number {
    return Math.min(this.#thinner.waitingSinceMs, this.#keys.waitingSinceMs);
  }

  #insert(tMs: number, kind: number, x: number, y: number, a: number, b: number): void {
    if (this.#isFull()) return;
    this.#buffer.insert(tMs, kind, x, y, a, b);
  }

  /**
   * Position and time of a masked key are those of the start of its 100 ms: where the pointer was at the key itself
   * would tell the time that was rounded away. When later events have gone already, it is the next start after them.
   */
  #insertMasked(tMs: number, kind: number, a: number, b: number): void {
    if (this.#isFull()) return;
    const coarseMs = Math.max(roundDown(tMs), roundUp(this.#sentMs));
    const { x, y } = this.#buffer.positionBefore(coarseMs) ?? { x: this.#sentX, y: this.#sentY };
    this.#buffer.insertCoarse(coarseMs, kind, x, y, a, b);
  }

  #isFull(): boolean {
    if (this.#buffer.length < this.#maxWaiting) return false;
    this.#dropped += 1;
    return true;
  }
}

function roundDown(tMs: number): number {
  return Math.floor(tMs / MASKED_TIME_QUANTUM_MS) * MASKED_TIME_QUANTUM_MS;
}

function roundUp(tMs: number): number {
  return Math.ceil(tMs / MASKED_TIME_QUANTUM_MS) * MASKED_TIME_QUANTUM_MS;
}
