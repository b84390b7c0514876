import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { TelemetryError } from '../core/errors.ts';
import type { Catalog, SegmentRecord } from './catalog.ts';
import { StorageFullError } from './object-store.ts';
import type { SegmentKey } from './segment-key.ts';

/** Applied in order, each once, in a transaction of its own; only ever appended to. */
const MIGRATIONS = [
  `CREATE TABLE segments (
     device      TEXT NOT NULL,
     segment     TEXT NOT NULL,
     sha256      TEXT NOT NULL,
     size        INTEGER NOT NULL,
     received_at INTEGER NOT NULL,
     PRIMARY KEY (device, segment)
   ) STRICT, WITHOUT ROWID`,
  'ALTER TABLE segments ADD COLUMN ledger_head TEXT',
];

/** Readers never wait in WAL mode; writers wait for a backup tool at most this long before the client is told to retry. */
const BUSY_TIMEOUT_MS = 5000;
/** SQLITE_FULL of sqlite3.h; the upper bits of an extended code say where. */
const SQLITE_FULL = 13;

interface Statements {
  readonly find: StatementSync;
  readonly add: StatementSync;
  readonly all: StatementSync;
  readonly ofDevice: StatementSync;
}

interface PendingRow {
  readonly record: SegmentRecord;
  readonly resolve: (outcome: 'added' | 'exists') => void;
  readonly reject: (error: unknown) => void;
}

/** The catalogue in one SQLite file, WAL with `synchronous=FULL`. `read-only` serves beside a running writer. */
export class SqliteCatalog implements Catalog {
  readonly #file: string;
  readonly #access: 'read-write' | 'read-only';
  readonly #wallMs: () => number;
  #db: DatabaseSync | null = null;
  #statements: Statements | null = null;
  #pending: PendingRow[] = [];

  constructor(file: string, access: 'read-write' | 'read-only', wallMs: () => number) {
    this.#file = file;
    this.#access = access;
    this.#wallMs = wallMs;
  }

  /** With `read-only`, a file that does not exist yet is an empty catalogue and is not made. */
  async start(): Promise<void> {
    const isReadOnly = this.#access === 'read-only';
    if (isReadOnly && !existsSync(this.#file)) return;
    // SQLite gives its side files the mode of the main file, so that is made first.
    if (!isReadOnly) await (await open(this.#file, 'a', 0o600)).close();
    const db = new DatabaseSync(this.#file, { readOnly: isReadOnly, timeout: BUSY_TIMEOUT_MS });
    try {
      if (!isReadOnly) this.#migrate(db);
      if (appliedVersion(db) === 0) {
        db.close();
        return;
      }
      this.#statements = prepare(db);
      this.#db = db;
    } catch (error) {
      db.close();
      throw error;
    }
  }

  stop(): Promise<void> {
    this.#flush();
    this.#db?.close();
    this.#db = null;
    this.#statements = null;
    return Promise.resolve();
  }

  find(key: SegmentKey): Promise<SegmentRecord | null> {
    const row = this.#statements?.find.get(key.device, key.segment);
    return Promise.resolve(row === undefined ? null : recordOf(row));
  }

  /** Rows that come in the same turn of the event loop share one transaction, and so one fsync. */
  add(record: SegmentRecord): Promise<'added' | 'exists'> {
    return new Promise((resolve, reject) => {
      if (this.#pending.length === 0) setImmediate(() => this.#flush());
      this.#pending.push({ record, resolve, reject });
    });
  }

  async *list(filter: { readonly device?: string } = {}): AsyncGenerator<SegmentRecord, void, undefined> {
    await Promise.resolve();
    if (this.#statements === null) return;
    const { all, ofDevice } = this.#statements;
    const rows = filter.device === undefined ? all.iterate() : ofDevice.iterate(filter.device);
    for (const row of rows) yield recordOf(row);
  }

  #flush(): void {
    const rows = this.#pending;
    this.#pending = [];
    if (rows.length === 0) return;
    try {
      const outcomes = this.#insert(rows.map((row) => row.record));
      for (const [at, row] of rows.entries()) row.resolve(outcomes[at] === true ? 'added' : 'exists');
    } catch (error) {
      for (const row of rows) row.reject(error);
    }
  }

  #insert(records: readonly SegmentRecord[]): boolean[] {
    const db = this.#db;
    const add = this.#statements?.add;
    if (db === null || add === undefined) throw new TelemetryError('failed', 'the catalogue is closed');
    try {
      db.exec('BEGIN IMMEDIATE');
      const outcomes = records.map((record) => add.run(...valuesOf(record)).changes > 0);
      db.exec('COMMIT');
      return outcomes;
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw isFull(error) ? new StorageFullError('write catalogue', error) : error;
    }
  }

  #migrate(db: DatabaseSync): void {
    db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL');
    db.exec(
      'CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT',
    );
    for (const [index, sql] of MIGRATIONS.entries()) {
      if (index < appliedVersion(db)) continue;
      db.exec('BEGIN IMMEDIATE');
      db.exec(sql);
      db.prepare('INSERT INTO migrations VALUES (?, ?)').run(index + 1, this.#wallMs());
      db.exec('COMMIT');
    }
  }
}

/** 0 for a file in which no migration has run. Refuses what a later version wrote. */
function appliedVersion(db: DatabaseSync): number {
  const table = db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migrations'").get();
  if (table === undefined) return 0;
  const version = Number(
    db.prepare('SELECT max(version) AS version FROM migrations').get()?.['version'] ?? 0,
  );
  if (version <= MIGRATIONS.length) return version;
  throw new TelemetryError('failed', 'the catalogue was written by a later version', {
    op: 'open catalogue',
    hint: 'run the collector that last used this data folder, or a later one',
  });
}

/** Beside a server of an earlier version, whose catalogue lacks a column, `ls` shows what there is. */
function prepare(db: DatabaseSync): Statements {
  const names = db
    .prepare('PRAGMA table_info(segments)')
    .all()
    .map((row) => row['name']);
  const isOld = !names.includes('ledger_head');
  const columns = 'device, segment, sha256, size, received_at';
  const select = `SELECT ${columns}, ${isOld ? 'NULL AS ledger_head' : 'ledger_head'} FROM segments`;
  return {
    find: db.prepare(`${select} WHERE device = ? AND segment = ?`),
    add: db.prepare(
      `INSERT INTO segments (${columns}${isOld ? '' : ', ledger_head'})
       VALUES (?, ?, ?, ?, ?${isOld ? '' : ', ?'}) ON CONFLICT DO NOTHING`,
    ),
    all: db.prepare(`${select} ORDER BY device, segment`),
    ofDevice: db.prepare(`${select} WHERE device = ? ORDER BY segment`),
  };
}

function valuesOf(record: SegmentRecord): SQLInputValue[] {
  const { device, segment, sha256, sizeBytes, receivedAtMs, ledgerHead = null } = record;
  return [device, segment, sha256, sizeBytes, receivedAtMs, ledgerHead];
}

function recordOf(row: Record<string, SQLOutputValue>): SegmentRecord {
  const { ledger_head: ledgerHead } = row;
  return {
    device: String(row['device']),
    segment: String(row['segment']),
    sha256: String(row['sha256']),
    sizeBytes: Number(row['size']),
    receivedAtMs: Number(row['received_at']),
    ...(typeof ledgerHead === 'string' ? { ledgerHead } : {}),
  };
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === SQLITE_FULL;
}
