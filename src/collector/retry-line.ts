/** A client's timer may be a second off, and to be asked again at once is of use to nobody. */
const LEAST_SECONDS = 5;
/** An estimate for later than this is none; whoever comes too early is refused once more. */
const MOST_SECONDS = 1200;
/**
 * Of what is let in, for those who come again; the rest is for those who come for the first time. In the fleet's
 * simulation (`npm run bench collector`) more of it costs more second refusals, less of it half an hour more.
 */
const SHARE = 0.7;
/** Some 100 bytes each, so that strangers' ids cannot fill memory: at most 6 MB. */
const MOST_WAITING = 65_536;

/**
 * Who was refused and is to come again, as a line at a door that lets in so many a second. Each is told to come when
 * those before it are through, so that a fleet spreads by itself. Clients stretch what they are told by a random 1 to 2:
 * of those told x seconds, x in [t/2, t] come at t, each with density 1/x, so that they come at ln 2 = 0.69 times the
 * rate at which the line is thought to move, always.
 */
export class RetryLine {
  /** When those who wait are given up, the one that joined first at the beginning. */
  readonly #waiting = new Map<string, number>();

  /** How many are still out there. */
  get length(): number {
    return this.#waiting.size;
  }

  /** It is refused: whole seconds for `Retry-After`. `perSecond`: how many are let in. */
  join(device: string, nowMs: number, perSecond: number): number {
    this.#giveUp(nowMs);
    const place = this.#waiting.size + 1;
    const seconds = Math.ceil(place / (perSecond * SHARE));
    const told = Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, seconds));
    this.#waiting.delete(device);
    // Twice is as late as it comes, and once more for one whose lid was closed meanwhile.
    this.#waiting.set(device, nowMs + 3 * told * 1000);
    return told;
  }

  /** It is let in. */
  leave(device: string): void {
    this.#waiting.delete(device);
  }

  #giveUp(nowMs: number): void {
    for (const [device, untilMs] of this.#waiting) {
      if (untilMs > nowMs && this.#waiting.size < MOST_WAITING) return;
      this.#waiting.delete(device);
    }
  }
}
