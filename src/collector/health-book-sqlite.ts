import type { SQLOutputValue } from 'node:sqlite';
import type { HealthBook, HealthRecord } from './health-book.ts';
import { SqliteFile } from './sqlite-file.ts';

/** Applied in order, each once, in a transaction of its own; only ever appended to. */
const MIGRATIONS = [
  `CREATE TABLE device_health (
     device  TEXT PRIMARY KEY,
     day     TEXT NOT NULL,
     version TEXT NOT NULL,
     backend TEXT NOT NULL,
     codes   TEXT NOT NULL
   ) STRICT, WITHOUT ROWID`,
];

/** The book in one SQLite file. */
export class SqliteHealthBook implements HealthBook {
  readonly #file: SqliteFile;

  constructor(file: string, access: 'read-write' | 'read-only', wallMs: () => number) {
    const what = 'health book';
    this.#file = new SqliteFile({ file, access, migrations: MIGRATIONS, leastVersion: 1, what, wallMs });
  }

  start(): Promise<void> {
    return this.#file.start();
  }

  stop(): Promise<void> {
    this.#file.stop();
    return Promise.resolve();
  }

  async put({ device, day, version, backend, codes }: HealthRecord): Promise<void> {
    await Promise.resolve();
    this.#file.inTransaction((db) =>
      db
        .prepare(
          'INSERT OR REPLACE INTO device_health (device, day, version, backend, codes) VALUES (?, ?, ?, ?, ?)',
        )
        .run(device, day, version, backend, codes.join(' ')),
    );
  }

  list(): Promise<readonly HealthRecord[]> {
    const rows = this.#file.db?.prepare('SELECT * FROM device_health ORDER BY device').all() ?? [];
    return Promise.resolve(rows.map(recordOf));
  }

  async forgetBefore(day: string): Promise<number> {
    await Promise.resolve();
    return this.#file.inTransaction((db) =>
      Number(db.prepare('DELETE FROM device_health WHERE day < ?').run(day).changes),
    );
  }
}

function recordOf(row: Record<string, SQLOutputValue>): HealthRecord {
  const codes = String(row['codes']);
  return {
    device: String(row['device']),
    day: String(row['day']),
    version: String(row['version']),
    backend: String(row['backend']),
    codes: codes === '' ? [] : codes.split(' '),
  };
}
