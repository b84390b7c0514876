import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, sql, type Transaction } from 'kysely';
import { CountedTables } from './counted-tables.ts';
import type { ColumnTypes, Database, Schema } from './database.ts';
import { appliedVersion, type Migrating, migrate } from './migrate.ts';
import { sqliteDialect } from './sqlite-driver.ts';
import type { Tables } from './tables.ts';

/** https://sqlite.org/stricttables.html, https://sqlite.org/withoutrowid.html */
const TYPES: ColumnTypes = {
  text: 'TEXT',
  integer: 'INTEGER',
  bytes: 'BLOB',
  serial: 'INTEGER PRIMARY KEY AUTOINCREMENT',
  keyed: 'STRICT, WITHOUT ROWID',
  plain: 'STRICT',
  appendOnly: (table, words) =>
    ['UPDATE', 'DELETE'].map(
      (act) => `CREATE TRIGGER ${table}_${act === 'UPDATE' ? 'stays' : 'keeps'} BEFORE ${act} ON ${table}
         BEGIN SELECT RAISE(ABORT, '${words}'); END`,
    ),
};

/** One file of SQLite tables, and how it is used. */
export interface SqliteFileOptions {
  readonly file: string;
  readonly access: 'read-write' | 'read-only';
  readonly schema: Schema;
  readonly wallMs: () => number;
}

/**
 * Tables in a file: WAL with `synchronous=FULL`, one connection a process. `read-only` serves beside a running writer, of an
 * earlier version too; a file that is not there yet counts as empty and is not made.
 */
export class SqliteDatabase extends CountedTables implements Database {
  readonly isShared = false;
  readonly #options: SqliteFileOptions;

  constructor(options: SqliteFileOptions) {
    super(options.schema.what);
    this.#options = options;
  }

  protected async open(): Promise<Kysely<Tables>> {
    const { file, access, schema } = this.#options;
    const isReadOnly = access === 'read-only';
    const isMissing = isReadOnly && !existsSync(file);
    // SQLite gives its side files the mode of the main file, so that is made first.
    if (!isReadOnly) await (await open(file, 'a', 0o600)).close();
    const db = isMissing
      ? new DatabaseSync(':memory:')
      : new DatabaseSync(file, { readOnly: isReadOnly, timeout: 0 });
    const tables = new Kysely<Tables>({ dialect: sqliteDialect(db, schema.what) });
    try {
      await this.#prepare(tables, db, isReadOnly && !isMissing);
      return tables;
    } catch (error) {
      db.close();
      throw error;
    }
  }

  async inTransaction<Result>(act: (tables: Transaction<Tables>) => Promise<Result>): Promise<Result> {
    return this.tables.transaction().execute(act);
  }

  /** `secure_delete` overwrites them in the file; the log of changes has them until it is emptied. */
  async dropOldBytes(): Promise<void> {
    await sql`PRAGMA wal_checkpoint(TRUNCATE)`.execute(this.tables);
  }

  async #prepare(tables: Kysely<Tables>, db: DatabaseSync, isReader: boolean): Promise<void> {
    const { schema, wallMs } = this.#options;
    const how: Migrating = { types: TYPES, versions: 'migrations', hasTable, lock: noLock, wallMs };
    if (isReader) {
      if ((await appliedVersion(tables, schema, how)) < schema.migrations.length) fillIn(db, schema);
      return;
    }
    await sql`PRAGMA journal_mode=WAL`.execute(tables);
    await sql`PRAGMA synchronous=FULL`.execute(tables);
    await sql`PRAGMA secure_delete=ON`.execute(tables);
    await migrate(tables, schema, how);
  }
}

async function hasTable(tables: Kysely<Tables>, name: string): Promise<boolean> {
  const found = sql`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ${name}`;
  return (await found.execute(tables)).rows.length > 0;
}

/** A transaction here has the lock from its beginning. */
function noLock(): Promise<void> {
  return Promise.resolve();
}

/** Shows a reader what a file of an earlier version has in the form of this one: what it lacks is empty. */
function fillIn(db: DatabaseSync, schema: Schema): void {
  const model = new DatabaseSync(':memory:');
  for (const statement of schema.migrations.flatMap((migration) => migration(TYPES))) model.exec(statement);
  const columnsOf = (of: DatabaseSync, table: string): string[] =>
    of
      .prepare('SELECT name FROM pragma_table_info(?)')
      .all(table)
      .map((row) => String(row['name']));
  const names = model
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    .all();
  for (const table of names.map((row) => String(row['name']))) {
    const has = columnsOf(db, table);
    const wanted = columnsOf(model, table).map((name) => (has.includes(name) ? name : `NULL AS ${name}`));
    const from = has.length > 0 ? `FROM main.${table}` : 'WHERE 0';
    db.exec(`CREATE TEMP VIEW ${table} AS SELECT ${wanted.join(', ')} ${from}`);
  }
  model.close();
}
