/** A device sends a few hundred requests an hour; ten thousand nonces are some 2 MB. */
const MAX_NONCES = 10_000;

/** Nonces of requests that could still be repeated: each is taken once. */
export interface ReplayGuard {
  /** What was signed before this moment may have been taken without being remembered. */
  readonly sinceMs: number;
  /**
   * `taken` once for each nonce until it expires. `full` instead of forgetting one that still counts: nothing that a
   * device sends can make room for a replay.
   */
  take(keyId: string, nonce: string, untilMs: number, nowMs: number): Promise<'taken' | 'replayed' | 'full'>;
  /** Lets go of what cannot be repeated any more. */
  tidy(nowMs: number): Promise<void>;
}

/** In the memory of one process, from its start on. */
export class MemoryReplayGuard implements ReplayGuard {
  readonly sinceMs: number;
  readonly #maxNonces: number;
  /** By key: nonces, and when they stop counting, in milliseconds. */
  readonly #seen = new Map<string, Map<string, number>>();

  constructor(sinceMs: number, maxNonces: number = MAX_NONCES) {
    this.sinceMs = sinceMs;
    this.#maxNonces = maxNonces;
  }

  take(keyId: string, nonce: string, untilMs: number, nowMs: number): Promise<'taken' | 'replayed' | 'full'> {
    const seen = this.#seen.get(keyId) ?? new Map<string, number>();
    if (seen.has(nonce)) return Promise.resolve('replayed');
    if (seen.size >= this.#maxNonces) forgetExpired(seen, nowMs);
    if (seen.size >= this.#maxNonces) return Promise.resolve('full');
    seen.set(nonce, untilMs);
    this.#seen.set(keyId, seen);
    return Promise.resolve('taken');
  }

  tidy(nowMs: number): Promise<void> {
    for (const [keyId, seen] of this.#seen) {
      forgetExpired(seen, nowMs);
      if (seen.size === 0) this.#seen.delete(keyId);
    }
    return Promise.resolve();
  }
}

function forgetExpired(seen: Map<string, number>, nowMs: number): void {
  for (const [nonce, untilMs] of seen) if (untilMs < nowMs) seen.delete(nonce);
}
