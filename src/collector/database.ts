import type { Kysely, Transaction } from 'kysely';
import type { Tables } from './tables.ts';

/** Tables in a database: one interface for SQLite's files and PostgreSQL. What it rejects with says what to do. */
export interface Database {
  /** Whether other collectors may use it at the same time, and the same object store with it. */
  readonly isShared: boolean;
  /** Connects and, to write, brings the tables up to date. Counted: each start takes a stop. */
  start(): Promise<void>;
  /** Disconnects with the last. Idempotent. */
  stop(): Promise<void>;
  /** For reading outside of transactions. Throws when it is closed. */
  readonly tables: Kysely<Tables>;
  /**
   * Reads and writes that nobody else comes between, whichever process they are; durable once it resolves. `act` may run more
   * than once. Throws `StorageFullError` when there is no room, and nothing was written then.
   */
  inTransaction<Result>(act: (tables: Transaction<Tables>) => Promise<Result>): Promise<Result>;
  /** Lets go of the old bytes of rows that were changed or deleted in a table, as far as the database does. */
  dropOldBytes(table: keyof Tables): Promise<void>;
}

/** Tables that go together, and how they came to be. */
export interface Schema {
  /** What holds them, in words: `catalogue`. */
  readonly what: string;
  /** The table in which the versions are counted, where the database holds more than this schema. */
  readonly versions: string;
  /** Applied in order, each once; only ever appended to, and each only adds. */
  readonly migrations: readonly Migration[];
}

/** Statements that bring the tables from one version to the next. */
export type Migration = (sql: ColumnTypes) => readonly string[];

/** What databases write differently. */
export interface ColumnTypes {
  readonly text: string;
  /** 64 bits. */
  readonly integer: string;
  readonly bytes: string;
  /** A primary key that counts by itself. */
  readonly serial: string;
  /** What follows the columns of a table with a primary key of its own. */
  readonly keyed: string;
  /** What follows the columns of any other. */
  readonly plain: string;
  /** Makes the database refuse to change or delete a row. */
  readonly appendOnly: (table: string, words: string) => readonly string[];
}
