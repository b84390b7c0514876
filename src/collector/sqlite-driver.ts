import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { StorageFullError } from './object-store.ts';

/** Result codes of sqlite3.h; the upper bits of an extended code say where. */
const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;

/** Another program's write takes milliseconds. It is waited for without holding up this one. */
const BUSY_TIMEOUT_MS = 5000;
const BUSY_RETRY_MS = 5;

/** The dialect of kysely for Node's own SQLite; `what` is what the database is in words. */
export function sqliteDialect(db: DatabaseSync, what: string): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new SqliteDriver(db, what),
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/** One connection, which kysely gives to one at a time (`supportsMultipleConnections` of the adapter). */
class SqliteDriver implements Driver, DatabaseConnection {
  readonly #db: DatabaseSync;
  readonly #what: string;

  constructor(db: DatabaseSync, what: string) {
    this.#db = db;
    this.#what = what;
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    for (let waitedMs = 0; ; waitedMs += BUSY_RETRY_MS) {
      try {
        return this.#execute<Row>(sql, parameters as SQLInputValue[]);
      } catch (error) {
        const code = codeOf(error);
        if (code === SQLITE_FULL) throw new StorageFullError(`write ${this.#what}`, error);
        // Inside a transaction the lock is held; what is busy then stays so.
        if (code !== SQLITE_BUSY || this.#db.isTransaction || waitedMs >= BUSY_TIMEOUT_MS) throw error;
      }
      await delay(BUSY_RETRY_MS);
    }
  }

  #execute<Row>(sql: string, parameters: SQLInputValue[]): QueryResult<Row> {
    const statement = this.#db.prepare(sql);
    if (statement.columns().length > 0) return { rows: statement.all(...parameters) as Row[] };
    return { rows: [], numAffectedRows: BigInt(statement.run(...parameters).changes) };
  }

  /** Long lists are read in pages instead, which hold no connection. */
  streamQuery(): never {
    throw new Error('read it in pages');
  }

  acquireConnection(): Promise<DatabaseConnection> {
    return Promise.resolve(this);
  }

  /** At once for writing: a transaction that turns into a writing one only later could find its reading outdated. */
  async beginTransaction(): Promise<void> {
    await this.executeQuery(CompiledQuery.raw('BEGIN IMMEDIATE'));
  }

  async commitTransaction(): Promise<void> {
    await this.executeQuery(CompiledQuery.raw('COMMIT'));
  }

  /** SQLite may have rolled back by itself, as it does when the disk is full. */
  async rollbackTransaction(): Promise<void> {
    if (this.#db.isTransaction) await this.executeQuery(CompiledQuery.raw('ROLLBACK'));
  }

  init(): Promise<void> {
    return Promise.resolve();
  }

  releaseConnection(): Promise<void> {
    return Promise.resolve();
  }

  destroy(): Promise<void> {
    this.#db.close();
    return Promise.resolve();
  }
}

function codeOf(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
}
