import type { Log } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { KeyedQueue } from './keyed-queue.ts';
import type { ObjectStore } from './object-store.ts';
import type { RetentionBook } from './retention-book.ts';
import { nameOf } from './segment-key.ts';

/** What removing expired segments needs. */
export interface SweeperParts {
  readonly retention: RetentionBook;
  readonly store: Pick<ObjectStore, 'remove'>;
  readonly queue: KeyedQueue;
  readonly wallMs: () => number;
  /** Resolves after so many milliseconds, rejects when aborted. */
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly log: Log;
}

/** Rows of one transaction; uploads wait for it some tens of milliseconds at most. */
const BATCH = 500;

/** Segments come one after the other and so expire: a minute's worth goes at once. */
const LEAST_WAIT_MS = 60_000;

/** A clock that is set forward, or another instance's segments, are noticed within so long; and disk errors tried again. */
const LONGEST_WAIT_MS = 3_600_000;

/** Removes segments when their time is over: the one timer is set to the next end. */
export class Sweeper {
  readonly #parts: SweeperParts;

  constructor(parts: SweeperParts) {
    this.#parts = parts;
  }

  /** Until `stop` is aborted. */
  async run(stop: AbortSignal): Promise<void> {
    const { delay, log } = this.#parts;
    while (!stop.aborted) {
      let waitMs = LONGEST_WAIT_MS;
      try {
        const expired = await this.sweep(stop);
        if (expired > 0) log.info({ expired }, 'segments expired and were removed');
        waitMs = await this.#waitMs();
      } catch (error) {
        log.error(
          { reason: messageOf(error) },
          'expired segments could not be removed; tried again in an hour',
        );
      }
      await delay(waitMs, stop).catch(() => undefined);
    }
  }

  /** Removes all whose time is over: rows first, durable, then objects, as the erasing of segments does. How many. */
  async sweep(stop: AbortSignal): Promise<number> {
    const { retention, store, queue, wallMs } = this.#parts;
    let expired = 0;
    // Asked first, which takes no lock.
    while (!stop.aborted && ((await retention.nextExpiryMs()) ?? Infinity) <= wallMs()) {
      const keys = await retention.expire(wallMs(), BATCH);
      for (const key of keys) await queue.run(nameOf(key), () => store.remove(key));
      expired += keys.length;
    }
    return expired;
  }

  async #waitMs(): Promise<number> {
    const { retention, wallMs } = this.#parts;
    const next = await retention.nextExpiryMs();
    if (next === null) return LONGEST_WAIT_MS;
    return Math.min(LONGEST_WAIT_MS, Math.max(LEAST_WAIT_MS, next - wallMs()));
  }
}
