import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import { TelemetryError } from '../core/errors.ts';
import { CountedTables } from './counted-tables.ts';
import type { ColumnTypes, Database, Schema } from './database.ts';
import { appliedVersion, type Migrating, migrate } from './migrate.ts';
import { isSerializationFailure } from './postgres-error.ts';
import { connectPool } from './postgres-pool.ts';
import type { PostgresAddress } from './postgres-url.ts';
import type { Tables } from './tables.ts';

/** Texts compare by their bytes, as in SQLite, whatever the database's own language is. */
const TYPES: ColumnTypes = {
  text: 'TEXT COLLATE "C"',
  integer: 'BIGINT',
  bytes: 'BYTEA',
  serial: 'BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY',
  keyed: '',
  plain: '',
  appendOnly: (table, words) => [
    `CREATE FUNCTION ${table}_stays() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION '${words}'; END $$`,
    `CREATE TRIGGER ${table}_stays BEFORE UPDATE OR DELETE ON ${table}
       FOR EACH ROW EXECUTE FUNCTION ${table}_stays()`,
    `CREATE TRIGGER ${table}_keeps BEFORE TRUNCATE ON ${table}
       FOR EACH STATEMENT EXECUTE FUNCTION ${table}_stays()`,
  ],
};

/** Any number; nobody else in this database may use the same: the first letters of the program's name. */
const MIGRATION_LOCK = 0x74_65_6c_63;

/**
 * Of two transactions that came between each other PostgreSQL lets one go through, so one that is begun anew gets there
 * sooner or later (manual, section 13.2.3).
 */
const MAX_ATTEMPTS = 20;

/** A PostgreSQL database, and how it is used. */
export interface PostgresOptions {
  readonly address: PostgresAddress;
  readonly access: 'read-write' | 'read-only';
  readonly schemas: readonly Schema[];
  readonly wallMs: () => number;
}

/** Tables in PostgreSQL, which any number of collectors may share. `read-only` makes and changes nothing. */
export class PostgresDatabase extends CountedTables implements Database {
  readonly isShared = true;
  readonly #options: PostgresOptions;

  constructor(options: PostgresOptions) {
    super('catalogue');
    this.#options = options;
  }

  async inTransaction<Result>(act: (tables: Transaction<Tables>) => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.tables.transaction().setIsolationLevel('serializable').execute(act);
      } catch (error) {
        if (!isSerializationFailure(error) || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  /** Gives their room to the next rows, without which small tables would keep them for long. */
  async dropOldBytes(table: keyof Tables): Promise<void> {
    await sql`VACUUM ${sql.table(table)}`.execute(this.tables);
  }

  protected async open(): Promise<Kysely<Tables>> {
    const { address, access, schemas, wallMs } = this.#options;
    const pool = await connectPool(address, access, 'catalogue');
    const tables = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
    try {
      for (const schema of schemas) {
        const how: Migrating = { types: TYPES, versions: schema.versions, hasTable, lock, wallMs };
        if (access === 'read-write') await migrate(tables, schema, how);
        else await mustBeThere(tables, schema);
      }
      return tables;
    } catch (error) {
      await tables.destroy();
      throw error;
    }
  }
}

async function mustBeThere(tables: Kysely<Tables>, schema: Schema): Promise<void> {
  const version = await appliedVersion(tables, schema, { versions: schema.versions, hasTable });
  if (version === schema.migrations.length) return;
  throw new TelemetryError('failed', `this version has not written to the ${schema.what} yet`, {
    op: `open ${schema.what}`,
    hint: 'telemetry-collector serve with the same --catalog, which brings it up to date',
  });
}

async function hasTable(tables: Kysely<Tables>, name: string): Promise<boolean> {
  const found = sql<{ isThere: boolean }>`SELECT to_regclass(${name}) IS NOT NULL AS "isThere"`;
  return (await found.execute(tables)).rows[0]?.isThere === true;
}

async function lock(tables: Kysely<Tables>): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(tables);
}
