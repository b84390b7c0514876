import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
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

/** What is asked for each segment is some ten statements; those with lists in them come in many lengths. */
const MAX_STATEMENTS = 100;

interface Prepared {
  readonly statement: StatementSync;
  readonly hasRows: boolean;
}

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
  /** By their text, the one used longest ago first: SQLite takes as long to read a statement as to carry it out. */
  readonly #prepared = new Map<string, Prepared>();

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
    const { statement, hasRows } = this.#prepare(sql);
    if (hasRows) return { rows: statement.all(...parameters) as Row[] };
    return { rows: [], numAffectedRows: BigInt(statement.run(...parameters).changes) };
  }

  #prepare(sql: string): Prepared {
    let found = this.#prepared.get(sql);
    if (found === undefined) {
      const statement = this.#db.prepare(sql);
      found = { statement, hasRows: statement.columns().length > 0 };
      const [oldest] = this.#prepared.keys();
      if (this.#prepared.size >= MAX_STATEMENTS && oldest !== undefined) this.#prepared.delete(oldest);
    } else {
      this.#prepared.delete(sql);
    }
    this.#prepared.set(sql, found);
    return found;
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
    this.#prepared.clear();
    this.#db.close();
    return Promise.resolve();
  }
}

function codeOf(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
}
