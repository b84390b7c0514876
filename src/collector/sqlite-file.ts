import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { TelemetryError } from '../core/errors.ts';
import { StorageFullError } from './object-store.ts';

/** Readers never wait in WAL mode; writers wait for another program, whose writes take milliseconds, at most this long. */
const BUSY_TIMEOUT_MS = 5000;

/** SQLITE_FULL of sqlite3.h; the upper bits of an extended code say where. */
const SQLITE_FULL = 13;

/** One file of SQLite tables, and which of them it needs. */
export interface SqliteFileOptions {
  readonly file: string;
  readonly access: 'read-write' | 'read-only';
  /** Applied in order, each once; only ever appended to. */
  readonly migrations: readonly string[];
  /** The first version that has what is read here: a file that an earlier one still serves counts as empty. */
  readonly leastVersion: number;
  /** What it is in words: `catalogue`. */
  readonly what: string;
  readonly wallMs: () => number;
}

/** A connection to a file of SQLite tables, WAL with `synchronous=FULL`. `read-only` serves beside a running writer. */
export class SqliteFile {
  readonly #options: SqliteFileOptions;
  #db: DatabaseSync | null = null;

  constructor(options: SqliteFileOptions) {
    this.#options = options;
  }

  /** `null` while it is closed, and for a reader of a file that is not there or has nothing for it yet. */
  get db(): DatabaseSync | null {
    return this.#db;
  }

  /** Opens the file, which a writer makes and brings up to date; `prepare` is given what is to be used. */
  async start(prepare: (db: DatabaseSync) => void = () => undefined): Promise<void> {
    const { file, access, migrations, leastVersion, wallMs } = this.#options;
    const isReadOnly = access === 'read-only';
    if (isReadOnly && !existsSync(file)) return;
    // SQLite gives its side files the mode of the main file, so that is made first.
    if (!isReadOnly) await (await open(file, 'a', 0o600)).close();
    const db = new DatabaseSync(file, { readOnly: isReadOnly, timeout: BUSY_TIMEOUT_MS });
    try {
      if (!isReadOnly) migrate(db, migrations, wallMs());
      if (appliedVersion(db, migrations) < leastVersion) {
        db.close();
        return;
      }
      prepare(db);
      this.#db = db;
    } catch (error) {
      db.close();
      throw error;
    }
  }

  stop(): void {
    this.#db?.close();
    this.#db = null;
  }

  mustBeOpen(): DatabaseSync {
    if (this.#db === null) throw new TelemetryError('failed', `the ${this.#options.what} is closed`);
    return this.#db;
  }

  /** Reads and writes in one transaction, which no other program comes between. Throws {@link StorageFullError}. */
  inTransaction<Outcome>(act: (db: DatabaseSync) => Outcome): Outcome {
    const db = this.mustBeOpen();
    try {
      db.exec('BEGIN IMMEDIATE');
      const outcome = act(db);
      db.exec('COMMIT');
      return outcome;
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw isFull(error) ? new StorageFullError(`write ${this.#options.what}`, error) : error;
    }
  }
}

/** Brings a database up to date: each migration once, in order, in a transaction of its own. */
function migrate(db: DatabaseSync, migrations: readonly string[], wallMs: number): void {
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
function appliedVersion(db: DatabaseSync, migrations: readonly string[]): number {
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
function isFull(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === SQLITE_FULL;
}
