import type { Kysely } from 'kysely';
import { TelemetryError } from '../core/errors.ts';
import type { Tables } from './tables.ts';

/** Tables that are opened with the first start and closed with the last stop. */
export abstract class CountedTables {
  readonly #what: string;
  #tables: Kysely<Tables> | null = null;
  #starting: Promise<void> | null = null;
  #starts = 0;

  /** `what` holds them, in words: `catalogue`. */
  constructor(what: string) {
    this.#what = what;
  }

  /** Throws while they are closed. */
  get tables(): Kysely<Tables> {
    if (this.#tables !== null) return this.#tables;
    throw new TelemetryError('failed', `the ${this.#what} is closed`);
  }

  async start(): Promise<void> {
    this.#starts += 1;
    this.#starting ??= this.open().then((tables) => {
      this.#tables = tables;
    });
    try {
      await this.#starting;
    } catch (error) {
      this.#starts = 0;
      this.#starting = null;
      throw error;
    }
  }

  async stop(): Promise<void> {
    if (this.#starts > 0) this.#starts -= 1;
    if (this.#starts > 0) return;
    const tables = this.#tables;
    this.#tables = null;
    this.#starting = null;
    await tables?.destroy();
  }

  /** Connects, and to write brings the tables up to date; leaves nothing open when it rejects. */
  protected abstract open(): Promise<Kysely<Tables>>;
}
