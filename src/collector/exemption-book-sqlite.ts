import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import {
  type AuditEntry,
  type DecideOutcome,
  type Decision,
  type ExemptionAsk,
  type ExemptionBook,
  type ExemptionRecord,
  type ExemptionState,
  REASON_RETENTION_MS,
  type SubmitOutcome,
} from './exemption-book.ts';
import { SqliteFile } from './sqlite-file.ts';

/** Applied in order, each once, in a transaction of its own; only ever appended to. */
const MIGRATIONS = [
  `CREATE TABLE exemptions (
     id              TEXT PRIMARY KEY,
     device          TEXT NOT NULL,
     scope           TEXT NOT NULL,
     asked_at        INTEGER NOT NULL,
     until           INTEGER NOT NULL,
     reason          BLOB,
     state           TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'withdrawn')),
     received_at     INTEGER NOT NULL,
     decided_at      INTEGER,
     decided_by      TEXT NOT NULL DEFAULT '',
     decision_reason TEXT NOT NULL DEFAULT ''
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE exemption_audit (
     seq    INTEGER PRIMARY KEY AUTOINCREMENT,
     at     INTEGER NOT NULL,
     id     TEXT NOT NULL,
     device TEXT NOT NULL,
     action TEXT NOT NULL,
     by     TEXT NOT NULL
   ) STRICT;
   CREATE INDEX exemption_audit_id ON exemption_audit (id);
   CREATE TRIGGER exemption_audit_stays BEFORE UPDATE ON exemption_audit
     BEGIN SELECT RAISE(ABORT, 'the audit trail is only ever appended to'); END;
   CREATE TRIGGER exemption_audit_keeps BEFORE DELETE ON exemption_audit
     BEGIN SELECT RAISE(ABORT, 'the audit trail is only ever appended to'); END;`,
];

/** The book in one SQLite file of its own, which only those who decide need to read. */
export class SqliteExemptionBook implements ExemptionBook {
  readonly #file: SqliteFile;
  readonly #isReadOnly: boolean;
  readonly #wallMs: () => number;

  constructor(file: string, access: 'read-write' | 'read-only', wallMs: () => number) {
    const what = 'exemption book';
    this.#file = new SqliteFile({ file, access, migrations: MIGRATIONS, leastVersion: 1, what, wallMs });
    this.#isReadOnly = access === 'read-only';
    this.#wallMs = wallMs;
  }

  /** With `read-only`, a file that does not exist yet is an empty book and is not made. */
  start(): Promise<void> {
    return this.#file.start((db) => {
      // What is erased is overwritten, not only unlinked from its table.
      if (!this.#isReadOnly) db.exec('PRAGMA secure_delete=ON');
    });
  }

  stop(): Promise<void> {
    this.#file.stop();
    return Promise.resolve();
  }

  submit(ask: ExemptionAsk): Promise<SubmitOutcome> {
    return this.#write((db) => {
      const known = find(db, ask.id);
      if (known !== null) return isSame(known, ask) ? { kind: 'known', record: known } : { kind: 'conflict' };
      return { kind: 'kept', record: this.#insert(db, ask, 'pending') };
    });
  }

  withdraw(ask: ExemptionAsk): Promise<SubmitOutcome> {
    return this.#write((db) => {
      const known = find(db, ask.id);
      if (known === null) {
        return { kind: 'kept', record: this.#insert(db, { ...ask, reason: null }, 'withdrawn') };
      }
      if (!isSame(known, ask)) return { kind: 'conflict' };
      if (known.state !== 'pending' && known.state !== 'approved') return { kind: 'known', record: known };
      const at = this.#wallMs();
      db.prepare("UPDATE exemptions SET state = 'withdrawn', decided_at = ?, reason = NULL WHERE id = ?").run(
        at,
        ask.id,
      );
      appendAudit(db, { atMs: at, id: ask.id, device: known.device, action: 'withdrawn', by: 'person' });
      return { kind: 'known', record: find(db, ask.id) ?? known };
    });
  }

  decide(id: string, { verdict, by, reason }: Decision): Promise<DecideOutcome> {
    return this.#write((db) => {
      const known = find(db, id);
      if (known === null) return { kind: 'unknown' };
      if (known.state !== 'pending') return { kind: 'not-pending', record: known };
      const at = this.#wallMs();
      db.prepare(
        'UPDATE exemptions SET state = ?, decided_at = ?, decided_by = ?, decision_reason = ? WHERE id = ?',
      ).run(verdict, at, by, reason, id);
      appendAudit(db, { atMs: at, id, device: known.device, action: verdict, by });
      return { kind: 'decided', record: find(db, id) ?? known };
    });
  }

  find(id: string): Promise<ExemptionRecord | null> {
    const { db } = this.#file;
    return Promise.resolve(db === null ? null : find(db, id));
  }

  list(filter: { readonly state?: ExemptionState } = {}): Promise<readonly ExemptionRecord[]> {
    const rows =
      this.#file.db
        ?.prepare('SELECT * FROM exemptions WHERE ?1 IS NULL OR state = ?1 ORDER BY received_at, id')
        .all(filter.state ?? null) ?? [];
    return Promise.resolve(rows.map(recordOf));
  }

  audit(id: string): Promise<readonly AuditEntry[]> {
    const rows =
      this.#file.db?.prepare('SELECT * FROM exemption_audit WHERE id = ? ORDER BY seq').all(id) ?? [];
    return Promise.resolve(rows.map(auditOf));
  }

  async eraseOldReasons(): Promise<number> {
    const at = this.#wallMs();
    const old = "(reason IS NOT NULL OR decision_reason <> '') AND decided_at <= ?";
    const erased = await this.#write((db) => {
      const rows = db
        .prepare(`SELECT * FROM exemptions WHERE ${old}`)
        .all(at - REASON_RETENTION_MS)
        .map(recordOf);
      db.prepare(`UPDATE exemptions SET reason = NULL, decision_reason = '' WHERE ${old}`).run(
        at - REASON_RETENTION_MS,
      );
      for (const { id, device } of rows) {
        appendAudit(db, { atMs: at, id, device, action: 'reason-erased', by: 'collector' });
      }
      return rows.length;
    });
    // The log of changes still has the old pages until it is emptied.
    if (erased > 0) this.#file.db?.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    return erased;
  }

  #insert(db: DatabaseSync, ask: ExemptionAsk, state: 'pending' | 'withdrawn'): ExemptionRecord {
    const { id, device, scope, askedAtMs, untilMs, reason } = ask;
    const at = this.#wallMs();
    const decidedAtMs = state === 'pending' ? null : at;
    db.prepare(
      `INSERT INTO exemptions (id, device, scope, asked_at, until, reason, state, received_at, decided_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(id, device, scope, askedAtMs, untilMs, reason, state, at, decidedAtMs);
    appendAudit(db, {
      atMs: at,
      id,
      device,
      action: state === 'pending' ? 'asked' : 'withdrawn',
      by: 'person',
    });
    return { ...ask, state, receivedAtMs: at, decidedAtMs, decidedBy: '', decisionReason: '' };
  }

  #write<Outcome>(act: (db: DatabaseSync) => Outcome): Promise<Outcome> {
    return new Promise((resolve) => resolve(this.#file.inTransaction(act)));
  }
}

/** The reason is not compared: it may be erased here by now. */
function isSame(known: ExemptionRecord, ask: ExemptionAsk): boolean {
  return known.device === ask.device && known.scope === ask.scope && known.askedAtMs === ask.askedAtMs;
}

function find(db: DatabaseSync, id: string): ExemptionRecord | null {
  const row = db.prepare('SELECT * FROM exemptions WHERE id = ?').get(id);
  return row === undefined ? null : recordOf(row);
}

function appendAudit(db: DatabaseSync, { atMs, id, device, action, by }: AuditEntry): void {
  db.prepare('INSERT INTO exemption_audit (at, id, device, action, by) VALUES (?, ?, ?, ?, ?)').run(
    atMs,
    id,
    device,
    action,
    by,
  );
}

type Row = Record<string, SQLOutputValue>;

function recordOf(row: Row): ExemptionRecord {
  const reason = row['reason'];
  const decidedAt = row['decided_at'] ?? null;
  return {
    id: String(row['id']),
    device: String(row['device']),
    scope: String(row['scope']),
    askedAtMs: Number(row['asked_at']),
    untilMs: Number(row['until']),
    reason: reason instanceof Uint8Array ? reason : null,
    // The table's own check allows no other word.
    state: String(row['state']) as ExemptionState,
    receivedAtMs: Number(row['received_at']),
    decidedAtMs: decidedAt === null ? null : Number(decidedAt),
    decidedBy: String(row['decided_by']),
    decisionReason: String(row['decision_reason']),
  };
}

function auditOf(row: Row): AuditEntry {
  return {
    atMs: Number(row['at']),
    id: String(row['id']),
    device: String(row['device']),
    action: String(row['action']) as AuditEntry['action'],
    by: String(row['by']),
  };
}
