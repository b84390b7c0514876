import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { TelemetryError } from '../core/errors.ts';
import type { Catalog, Erased, Erasure, SegmentRecord } from './catalog.ts';
import { CATALOG_MIGRATIONS } from './catalog-migrations.ts';
import type { SegmentKey } from './segment-key.ts';
import { SqliteFile } from './sqlite-file.ts';

interface Statements {
  readonly find: StatementSync;
  readonly add: StatementSync;
  readonly all: StatementSync;
  readonly ofDevice: StatementSync;
}

interface ErasingStatements {
  readonly tombstone: StatementSync;
  readonly entomb: StatementSync;
  readonly remove: StatementSync;
  readonly note: StatementSync;
}

interface PendingRow {
  readonly record: SegmentRecord;
  readonly resolve: (outcome: 'added' | 'exists') => void;
  readonly reject: (error: unknown) => void;
}

/** The catalogue in one SQLite file. */
export class SqliteCatalog implements Catalog {
  readonly #file: SqliteFile;
  #statements: Statements | null = null;
  #erasing: ErasingStatements | null = null;
  #pending: PendingRow[] = [];

  constructor(file: string, access: 'read-write' | 'read-only', wallMs: () => number) {
    const what = 'catalogue';
    this.#file = new SqliteFile({
      file,
      access,
      migrations: CATALOG_MIGRATIONS,
      leastVersion: 1,
      what,
      wallMs,
    });
  }

  /** With `read-only`, a file that does not exist yet is an empty catalogue and is not made. */
  start(): Promise<void> {
    return this.#file.start((db) => {
      this.#statements = prepare(db);
    });
  }

  stop(): Promise<void> {
    this.#flush();
    this.#file.stop();
    this.#statements = null;
    this.#erasing = null;
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

  async erase({ device, request, segments, atMs }: Erasure): Promise<Erased> {
    await Promise.resolve();
    // Rows that wait for their transaction go first: one of them may be what is to be erased.
    this.#flush();
    const statements = this.#erasingStatements();
    if (statements === null) throw closed();
    const erased: string[] = [];
    const unknown: string[] = [];
    this.#file.inTransaction(() => {
      for (const segment of segments) {
        const isKept = statements.remove.run(device, segment).changes > 0;
        statements.entomb.run(device, segment, isKept ? 1 : 0, atMs);
        const wasKept = statements.tombstone.get(device, segment)?.['was_kept'] === 1;
        (wasKept ? erased : unknown).push(segment);
      }
      statements.note.run(device, request, segments.length, erased.length, atMs);
    });
    return { erased, unknown };
  }

  isErased(key: SegmentKey): Promise<boolean> {
    const tombstone = this.#erasingStatements()?.tombstone.get(key.device, key.segment);
    return Promise.resolve(tombstone !== undefined);
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
    const add = this.#statements?.add;
    if (add === undefined) throw closed();
    return this.#file.inTransaction(() => records.map((record) => add.run(...valuesOf(record)).changes > 0));
  }

  #erasingStatements(): ErasingStatements | null {
    const { db } = this.#file;
    if (db === null) return null;
    this.#erasing ??= prepareErasing(db);
    return this.#erasing;
  }
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

/** Apart from the others: `ls` must be able to read a catalogue that an earlier version still serves. */
function prepareErasing(db: DatabaseSync): ErasingStatements {
  return {
    tombstone: db.prepare('SELECT was_kept FROM tombstones WHERE device = ? AND segment = ?'),
    entomb: db.prepare(
      'INSERT INTO tombstones (device, segment, was_kept, erased_at) VALUES (?, ?, ?, ?) ' +
        'ON CONFLICT DO UPDATE SET was_kept = max(was_kept, excluded.was_kept)',
    ),
    remove: db.prepare('DELETE FROM segments WHERE device = ? AND segment = ?'),
    note: db.prepare(
      'INSERT INTO erasures (device, request, segments, erased, asked_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    ),
  };
}

function closed(): TelemetryError {
  return new TelemetryError('failed', 'the catalogue is closed');
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
