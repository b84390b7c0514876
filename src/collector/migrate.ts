import { type Kysely, sql } from 'kysely';
import { TelemetryError } from '../core/errors.ts';
import type { ColumnTypes, Schema } from './database.ts';
import type { Tables } from './tables.ts';

/** What a database brings to its own migration. */
export interface Migrating {
  readonly types: ColumnTypes;
  /** The table in which the versions are counted. */
  readonly versions: string;
  readonly hasTable: (tables: Kysely<Tables>, name: string) => Promise<boolean>;
  /** Keeps others from migrating until the transaction ends. */
  readonly lock: (tables: Kysely<Tables>) => Promise<void>;
  readonly wallMs: () => number;
}

/** Brings a schema up to date: each migration once, in order, all of them or none. Several may do so at once. */
export async function migrate(tables: Kysely<Tables>, schema: Schema, how: Migrating): Promise<void> {
  // Asked first without a lock: whoever only uses the tables needs no right to make some.
  if ((await appliedVersion(tables, schema, how)) === schema.migrations.length) return;
  await tables.transaction().execute(async (trx) => {
    const run = (statement: string) => sql.raw(statement).execute(trx);
    await how.lock(trx);
    const { integer, plain } = how.types;
    const columns = `version ${integer} PRIMARY KEY, applied_at ${integer} NOT NULL`;
    await run(`CREATE TABLE IF NOT EXISTS ${how.versions} (${columns}) ${plain}`);
    const applied = await appliedVersion(trx, schema, how);
    for (const [at, migration] of schema.migrations.entries()) {
      if (at < applied) continue;
      for (const statement of migration(how.types)) await run(statement);
      await sql`INSERT INTO ${sql.table(how.versions)} VALUES (${at + 1}, ${how.wallMs()})`.execute(trx);
    }
  });
}

/** 0 for a database in which no migration has run. Refuses what a later version wrote. */
export async function appliedVersion(
  tables: Kysely<Tables>,
  schema: Schema,
  { versions, hasTable }: Pick<Migrating, 'versions' | 'hasTable'>,
): Promise<number> {
  if (!(await hasTable(tables, versions))) return 0;
  const highest = sql<{ version: number | null }>`SELECT max(version) AS version FROM ${sql.table(versions)}`;
  const version = (await highest.execute(tables)).rows[0]?.version ?? 0;
  if (version <= schema.migrations.length) return version;
  throw new TelemetryError('failed', `the ${schema.what} was written by a later version`, {
    op: `open ${schema.what}`,
    hint: 'run the collector that last wrote to it, or a later one',
  });
}
