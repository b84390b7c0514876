import type { Database } from './database.ts';

/** A book in tables of a database, which may be opened for several books. */
export abstract class SqlBook {
  protected readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  /** Opens the database and brings its tables up to date. */
  start(): Promise<void> {
    return this.database.start();
  }

  /** Idempotent. */
  stop(): Promise<void> {
    return this.database.stop();
  }
}
