import type { Database } from './database.ts';
import type { ReplayGuard } from './replay-guard.ts';

/** The clocks of instances differ by seconds: a nonce is kept longer than the slowest of them could take it. */
const SKEW_MS = 600_000;

/**
 * In a database, for all instances and across their restarts. It has room for whatever comes, so it is never `full`; a
 * nonce stays some minutes.
 */
export class SqlReplayGuard implements ReplayGuard {
  readonly sinceMs = 0;
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async take(keyId: string, nonce: string, untilMs: number): Promise<'taken' | 'replayed'> {
    const taken = await this.#database.tables
      .insertInto('nonces')
      .values({ key_id: keyId, nonce, until: untilMs })
      .onConflict((conflict) => conflict.doNothing())
      .returning('nonce')
      .executeTakeFirst();
    return taken === undefined ? 'replayed' : 'taken';
  }

  async tidy(nowMs: number): Promise<void> {
    await this.#database.tables
      .deleteFrom('nonces')
      .where('until', '<', nowMs - SKEW_MS)
      .execute();
  }
}
