import type { DatabaseSync } from 'node:sqlite';
import { TelemetryError } from '../core/errors.ts';

/** SQLITE_FULL of sqlite3.h; the upper bits of an extended code say where. */
const SQLITE_FULL = 13;

/** Brings a database up to date: each migration once, in order, in a transaction of its own. */
export function migrate(db: DatabaseSync, migrations: readonly string[], wallMs: number): void {
  db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL');
  db.exec(
    'CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT',
  );
  for (const [index, sql] of migrations.entries()) {
    db.exec('BEGIN IMMEDIATE');
    // Asked with the lock held: two programs may open a new file at once.
    if (index >= appliedVersion(db, migrations)) {
      db.exec(sql);
      db.prepare('INSERT INTO migrations VALUES (?, ?)').run(index + 1, wallMs);
    }
    db.exec('COMMIT');
  }
}

/** 0 for a file in which no migration has run. Refuses what a later version wrote. */
export function appliedVersion(db: DatabaseSync, migrations: readonly string[]): number {
  const table = db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migrations'").get();
  if (table === undefined) return 0;
  const version = Number(
    db.prepare('SELECT max(version) AS version FROM migrations').get()?.['version'] ?? 0,
  );
  if (version <= migrations.length) return version;
  throw new TelemetryError('failed', 'the catalogue was written by a later version', {
    op: 'open catalogue',
    hint: 'run the collector that last used this data folder, or a later one',
  });
}

/** Whether an error of SQLite's says that the disk is full. */
export function isFull(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === SQLITE_FULL;
}
