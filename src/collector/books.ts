import { join } from 'node:path';
import type { AdminBook } from './admin-book.ts';
import { SqlAdminBook } from './admin-book-sql.ts';
import type { Agreements } from './agreements.ts';
import { SqlAgreements } from './agreements-sql.ts';
import type { Catalog } from './catalog.ts';
import { CATALOG, CATALOG_SCHEMA } from './catalog-migrations.ts';
import { SqlCatalog } from './catalog-sql.ts';
import type { Database, Schema } from './database.ts';
import { PostgresDatabase } from './database-postgres.ts';
import { SqliteDatabase } from './database-sqlite.ts';
import type { DeviceBook } from './device-book.ts';
import { SqlDeviceBook } from './device-book-sql.ts';
import type { ExemptionBook } from './exemption-book.ts';
import { SqlExemptionBook } from './exemption-book-sql.ts';
import { EXEMPTION_BOOK, EXEMPTION_SCHEMA } from './exemption-migrations.ts';
import { FLEET_BOOK, FLEET_SCHEMA } from './fleet-migrations.ts';
import type { HealthBook } from './health-book.ts';
import { SqlHealthBook } from './health-book-sql.ts';
import type { PostgresAddress } from './postgres-url.ts';
import type { ReaderBook } from './reader-book.ts';
import { SqlReaderBook } from './reader-book-sql.ts';
import { MemoryReplayGuard, type ReplayGuard } from './replay-guard.ts';
import { SqlReplayGuard } from './replay-guard-sql.ts';
import type { RetentionBook } from './retention-book.ts';
import { SqlRetentionBook } from './retention-book-sql.ts';
import type { Traffic } from './traffic.ts';
import { SqlTraffic } from './traffic-sql.ts';
import type { UseBook } from './use-book.ts';
import { SqlUseBook } from './use-book-sql.ts';

/** What a collector knows, not started yet. */
export interface Books {
  readonly catalog: Catalog;
  readonly devices: DeviceBook;
  readonly exemptions: ExemptionBook;
  readonly health: HealthBook;
  readonly admins: AdminBook;
  readonly traffic: Traffic;
  readonly replays: ReplayGuard;
  readonly retention: RetentionBook;
  readonly use: UseBook;
  readonly readers: ReaderBook;
}

/** Those that several collectors share, and what they agree on. */
export interface SharedBooks extends Books {
  readonly agreements: Agreements;
}

/** The books in the SQLite files of a data folder. */
export function booksInFolder(
  dataDir: string,
  access: 'read-write' | 'read-only',
  wallMs: () => number,
): Books {
  const fileOf = (name: string, schema: Schema): Database =>
    new SqliteDatabase({ file: join(dataDir, name), access, schema, wallMs });
  const databases = {
    catalog: fileOf(CATALOG, CATALOG_SCHEMA),
    exemptions: fileOf(EXEMPTION_BOOK, EXEMPTION_SCHEMA),
    fleet: fileOf(FLEET_BOOK, FLEET_SCHEMA),
  };
  return { ...booksIn(databases, wallMs), replays: new MemoryReplayGuard(wallMs()) };
}

/** The books in a PostgreSQL database, which any number of collectors may share. */
export function booksInPostgres(
  address: PostgresAddress,
  access: 'read-write' | 'read-only',
  wallMs: () => number,
): SharedBooks {
  const schemas = [CATALOG_SCHEMA, EXEMPTION_SCHEMA, FLEET_SCHEMA];
  const database = new PostgresDatabase({ address, access, schemas, wallMs });
  return {
    ...booksIn({ catalog: database, exemptions: database, fleet: database }, wallMs),
    replays: new SqlReplayGuard(database),
    agreements: new SqlAgreements(database),
  };
}

/** Those in tables, by the database that has the tables of each schema. */
function booksIn(
  { catalog, exemptions, fleet }: Readonly<Record<'catalog' | 'exemptions' | 'fleet', Database>>,
  wallMs: () => number,
): Omit<Books, 'replays'> {
  return {
    catalog: new SqlCatalog(catalog),
    devices: new SqlDeviceBook(catalog, wallMs),
    retention: new SqlRetentionBook(catalog),
    use: new SqlUseBook(catalog),
    readers: new SqlReaderBook(catalog),
    traffic: new SqlTraffic(catalog),
    exemptions: new SqlExemptionBook(exemptions, wallMs),
    health: new SqlHealthBook(fleet),
    admins: new SqlAdminBook(fleet, wallMs),
  };
}
