/** A client's timer may be a second off, and to be asked again at once is of use to nobody. */
const LEAST_SECONDS = 5;
/** An estimate for later than this is none; whoever comes too early is refused once more. */
const MOST_SECONDS = 1800;

/**
 * Who was refused and comes again, as a line at a door that lets in so many a second. Each is told to come when those
 * before them are through, so that a fleet spreads by itself. Clients stretch what they are told by a random 1 to 2: of
 * those told x seconds, x in [t/2, t] come at t, each with density 1/x, which makes ln 2 = 0.69 times the rate, always.
 */
export class RetryLine {
  #waiting = 0;
  #atMs = 0;

  /** How many are thought to be still out there. */
  waiting(nowMs: number, perSecond: number): number {
    return Math.max(0, this.#waiting - ((nowMs - this.#atMs) / 1000) * perSecond);
  }

  /** One more is refused: whole seconds for `Retry-After`. */
  join(nowMs: number, perSecond: number): number {
    this.#waiting = this.waiting(nowMs, perSecond) + 1;
    this.#atMs = nowMs;
    return Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, Math.ceil(this.#waiting / perSecond)));
  }
}
