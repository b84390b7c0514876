/**
 * A stretch without moves this long ends a movement: its last move is kept, and so is the first one after it. Chosen,
 * not measured: six times the 15.6 ms tick of slow mice, so that a steady movement is never taken for many.
 */
export const PAUSE_MS = 100;

/**
 * Thins pointer moves to a rate. Kept are the first move after a pause, the last one before it, the exact position
 * before a button or wheel event (see {@link settle}), and of the rest at most `mouseHz` a second.
 *
 * One move at a time waits here until what follows decides about it.
 */
export class MoveThinner {
  thinned = 0;
  #periodMs = 0;
  #pauseMs = 0;
  readonly #keep: (tMs: number, x: number, y: number) => void;
  #lastKeptMs = Number.NEGATIVE_INFINITY;
  #waiting: { tMs: number; x: number; y: number } | null = null;

  constructor(mouseHz: number, keep: (tMs: number, x: number, y: number) => void) {
    this.#keep = keep;
    this.setRate(mouseHz);
  }

  /** Another rate from now on. */
  setRate(mouseHz: number): void {
    this.#periodMs = 1000 / mouseHz;
    this.#pauseMs = Math.max(PAUSE_MS, this.#periodMs);
  }

  /** Time of the move that waits, which may still be kept; infinite when none does. */
  get waitingSinceMs(): number {
    return this.#waiting?.tMs ?? Number.POSITIVE_INFINITY;
  }

  move(tMs: number, x: number, y: number): void {
    if (this.#waiting !== null && tMs - this.#waiting.tMs >= this.#pauseMs) this.settle();
    if (tMs - this.#lastKeptMs < this.#periodMs) {
      if (this.#waiting !== null) this.thinned += 1;
      this.#waiting = { tMs, x, y };
      return;
    }
    if (this.#waiting !== null) this.thinned += 1;
    this.#waiting = null;
    this.#lastKeptMs = tMs;
    this.#keep(tMs, x, y);
  }

  /** Throws the move that waits away. */
  forget(): void {
    this.#waiting = null;
  }

  /** Keeps the move that waits: a button or wheel event follows, or nothing does. */
  settle(): void {
    if (this.#waiting === null) return;
    const { tMs, x, y } = this.#waiting;
    this.#waiting = null;
    this.#lastKeptMs = tMs;
    this.#keep(tMs, x, y);
  }
}
