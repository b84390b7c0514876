import type { Selectable, Transaction } from 'kysely';
import type { Database } from './database.ts';
import type { DeviceBook, DeviceKey, EnrolmentAsk, EnrolmentOutcome } from './device-book.ts';
import { SqlBook } from './sql-book.ts';
import type { Tables } from './tables.ts';

/** The book in tables of the catalogue's database. */
export class SqlDeviceBook extends SqlBook implements DeviceBook {
  readonly #wallMs: () => number;

  constructor(database: Database, wallMs: () => number) {
    super(database);
    this.#wallMs = wallMs;
  }

  addToken(hash: string, expiresAtMs: number): Promise<void> {
    const token = { hash, made_at: this.#wallMs(), expires_at: expiresAtMs };
    return this.database.inTransaction(async (tables) => {
      await tables.insertInto('enrolment_tokens').values(token).execute();
    });
  }

  enrol(ask: EnrolmentAsk): Promise<EnrolmentOutcome> {
    return this.database.inTransaction(async (tables) => {
      const { tokenHash, device, keyId, publicKey } = ask;
      const now = this.#wallMs();
      const refusal = await refusalOf(tables, ask, now);
      if (refusal !== null) return refusal;
      await tables
        .updateTable('enrolment_tokens')
        .set({ used_by: keyId })
        .where('hash', '=', tokenHash)
        .execute();
      const key = { key_id: keyId, device, public_key: publicKey, enrolled_at: now };
      await tables.insertInto('device_keys').values(key).execute();
      return 'enrolled';
    });
  }

  async find(keyId: string): Promise<DeviceKey | null> {
    const row = await this.database.tables
      .selectFrom('device_keys')
      .selectAll()
      .where('key_id', '=', keyId)
      .executeTakeFirst();
    return row === undefined ? null : keyOf(row);
  }

  async hasEnrolled(device: string): Promise<boolean> {
    const row = await this.database.tables
      .selectFrom('device_keys')
      .select('key_id')
      .where('device', '=', device)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  async list(): Promise<readonly DeviceKey[]> {
    const keys = this.database.tables.selectFrom('device_keys').selectAll();
    return (await keys.orderBy('enrolled_at').orderBy('key_id').execute()).map(keyOf);
  }

  revoke(device: string): Promise<number> {
    return this.database.inTransaction(async (tables) => {
      const { numUpdatedRows } = await tables
        .updateTable('device_keys')
        .set({ revoked_at: this.#wallMs() })
        .where('device', '=', device)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      return Number(numUpdatedRows);
    });
  }
}

/** What stands against an enrolment; `null` when nothing does. */
async function refusalOf(
  tables: Transaction<Tables>,
  { tokenHash, device, keyId }: EnrolmentAsk,
  nowMs: number,
): Promise<Exclude<EnrolmentOutcome, 'enrolled'> | null> {
  const token = await tables
    .selectFrom('enrolment_tokens')
    .selectAll()
    .where('hash', '=', tokenHash)
    .executeTakeFirst();
  if (token === undefined) return 'unknown-token';
  const keys = tables.selectFrom('device_keys').selectAll();
  const known = await keys.where('key_id', '=', keyId).executeTakeFirst();
  if (token.used_by !== null) {
    const isSame = token.used_by === keyId && known?.device === device;
    return isSame && known.revoked_at === null ? 'known' : 'used-token';
  }
  if (token.expires_at <= nowMs) return 'expired-token';
  const counting = keys.where('device', '=', device).where('revoked_at', 'is', null).limit(1);
  // A key is enrolled once: a revoked one must not come back under another name.
  return known !== undefined || (await counting.executeTakeFirst()) !== undefined ? 'taken' : null;
}

function keyOf(row: Selectable<Tables['device_keys']>): DeviceKey {
  const { key_id: keyId, device, public_key: publicKey, enrolled_at, revoked_at } = row;
  return { keyId, device, publicKey, enrolledAtMs: enrolled_at, revokedAtMs: revoked_at };
}
