/** Long enough to be steady, short enough to follow a disk that became slow. */
const MEMORY_MS = 10_000;

/** How often something happens: a mean that forgets exponentially and knows when it began. */
export class EventRate {
  #weight = 0;
  #beganMs: number | null = null;
  #atMs = 0;

  note(nowMs: number): void {
    // After a silence it begins anew: what is asked is how often it happens while it happens.
    if (this.#beganMs === null || nowMs - this.#atMs > MEMORY_MS) {
      this.#beganMs = nowMs;
      this.#weight = 0;
    } else this.#weight *= Math.exp((this.#atMs - nowMs) / MEMORY_MS);
    this.#weight += 1;
    this.#atMs = nowMs;
  }

  /** At least one a second: less is no basis for telling anyone how long to stay away. */
  perSecond(nowMs: number): number {
    // Of the first second too little is known; what came in it counts as if it had taken all of it.
    const sinceMs = Math.max(1000, nowMs - (this.#beganMs ?? nowMs));
    const rememberedMs = MEMORY_MS * (1 - Math.exp(-sinceMs / MEMORY_MS));
    return Math.max(1, (this.#weight * 1000) / rememberedMs);
  }
}
