import type { Kysely, Selectable, Transaction } from 'kysely';
import type { Database } from './database.ts';
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
import { SqlBook } from './sql-book.ts';
import type { Tables } from './tables.ts';

/** The book in tables of a database. */
export class SqlExemptionBook extends SqlBook implements ExemptionBook {
  readonly #wallMs: () => number;

  constructor(database: Database, wallMs: () => number) {
    super(database);
    this.#wallMs = wallMs;
  }

  submit(ask: ExemptionAsk): Promise<SubmitOutcome> {
    return this.database.inTransaction(async (tables) => {
      const known = await find(tables, ask.id);
      if (known !== null) return isSame(known, ask) ? { kind: 'known', record: known } : { kind: 'conflict' };
      return { kind: 'kept', record: await this.#insert(tables, ask, 'pending') };
    });
  }

  withdraw(ask: ExemptionAsk): Promise<SubmitOutcome> {
    return this.database.inTransaction(async (tables) => {
      const known = await find(tables, ask.id);
      if (known === null)
        return { kind: 'kept', record: await this.#insert(tables, { ...ask, reason: null }, 'withdrawn') };
      if (!isSame(known, ask)) return { kind: 'conflict' };
      if (known.state !== 'pending' && known.state !== 'approved') return { kind: 'known', record: known };
      const at = this.#wallMs();
      const change = { state: 'withdrawn', decided_at: at, reason: null } as const;
      const record = await update(tables, known.id, change);
      await appendAudit(tables, {
        atMs: at,
        id: ask.id,
        device: known.device,
        action: 'withdrawn',
        by: 'person',
      });
      return { kind: 'known', record };
    });
  }

  decide(id: string, { verdict, by, reason }: Decision): Promise<DecideOutcome> {
    return this.database.inTransaction(async (tables) => {
      const known = await find(tables, id);
      if (known === null) return { kind: 'unknown' };
      if (known.state !== 'pending') return { kind: 'not-pending', record: known };
      const at = this.#wallMs();
      const change = { state: verdict, decided_at: at, decided_by: by, decision_reason: reason };
      const record = await update(tables, id, change);
      await appendAudit(tables, { atMs: at, id, device: known.device, action: verdict, by });
      return { kind: 'decided', record };
    });
  }

  find(id: string): Promise<ExemptionRecord | null> {
    return find(this.database.tables, id);
  }

  async list(filter: { readonly state?: ExemptionState } = {}): Promise<readonly ExemptionRecord[]> {
    const { state } = filter;
    const all = this.database.tables.selectFrom('exemptions').selectAll();
    const wanted = state === undefined ? all : all.where('state', '=', state);
    return (await wanted.orderBy('received_at').orderBy('id').execute()).map(recordOf);
  }

  async audit(id: string): Promise<readonly AuditEntry[]> {
    const trail = this.database.tables.selectFrom('exemption_audit').selectAll().where('id', '=', id);
    return (await trail.orderBy('seq').execute()).map(({ at, device, action, by }) => ({
      atMs: at,
      id,
      device,
      action,
      by,
    }));
  }

  async eraseOldReasons(): Promise<number> {
    const at = this.#wallMs();
    const erased = await this.database.inTransaction(async (tables) => {
      const rows = await tables
        .updateTable('exemptions')
        .set({ reason: null, decision_reason: '' })
        .where((is) => is.or([is('reason', 'is not', null), is('decision_reason', '<>', '')]))
        .where('decided_at', '<=', at - REASON_RETENTION_MS)
        .returning(['id', 'device'])
        .execute();
      for (const { id, device } of rows)
        await appendAudit(tables, { atMs: at, id, device, action: 'reason-erased', by: 'collector' });
      return rows.length;
    });
    if (erased > 0) await this.database.dropOldBytes('exemptions');
    return erased;
  }

  async #insert(
    tables: Transaction<Tables>,
    ask: ExemptionAsk,
    state: 'pending' | 'withdrawn',
  ): Promise<ExemptionRecord> {
    const { id, device, scope, askedAtMs, untilMs, reason } = ask;
    const at = this.#wallMs();
    const row = await tables
      .insertInto('exemptions')
      .values({
        id,
        device,
        scope,
        asked_at: askedAtMs,
        until: untilMs,
        reason,
        state,
        received_at: at,
        decided_at: state === 'pending' ? null : at,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    const action = state === 'pending' ? 'asked' : 'withdrawn';
    await appendAudit(tables, { atMs: at, id, device, action, by: 'person' });
    return recordOf(row);
  }
}

/** The reason is not compared: it may be erased here by now. */
function isSame(known: ExemptionRecord, ask: ExemptionAsk): boolean {
  return known.device === ask.device && known.scope === ask.scope && known.askedAtMs === ask.askedAtMs;
}

async function find(tables: Kysely<Tables>, id: string): Promise<ExemptionRecord | null> {
  const row = await tables.selectFrom('exemptions').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : recordOf(row);
}

async function update(
  tables: Transaction<Tables>,
  id: string,
  change: Partial<Row>,
): Promise<ExemptionRecord> {
  const changed = tables.updateTable('exemptions').set(change).where('id', '=', id).returningAll();
  return recordOf(await changed.executeTakeFirstOrThrow());
}

async function appendAudit(tables: Transaction<Tables>, { atMs, ...entry }: AuditEntry): Promise<void> {
  await tables
    .insertInto('exemption_audit')
    .values({ at: atMs, ...entry })
    .execute();
}

type Row = Selectable<Tables['exemptions']>;

function recordOf(row: Row): ExemptionRecord {
  return {
    id: row.id,
    device: row.device,
    scope: row.scope,
    askedAtMs: row.asked_at,
    untilMs: row.until,
    reason: row.reason === null ? null : new Uint8Array(row.reason),
    state: row.state,
    receivedAtMs: row.received_at,
    decidedAtMs: row.decided_at,
    decidedBy: row.decided_by,
    decisionReason: row.decision_reason,
  };
}
