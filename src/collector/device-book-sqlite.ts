import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { CATALOG_MIGRATIONS } from './catalog-migrations.ts';
import type { DeviceBook, DeviceKey, EnrolmentAsk, EnrolmentOutcome } from './device-book.ts';
import { SqliteFile } from './sqlite-file.ts';

/** The book in tables of the catalogue's file, over a connection of its own. */
export class SqliteDeviceBook implements DeviceBook {
  readonly #file: SqliteFile;
  readonly #wallMs: () => number;

  constructor(file: string, access: 'read-write' | 'read-only', wallMs: () => number) {
    // A catalogue that an earlier version still serves has no devices yet.
    const leastVersion = CATALOG_MIGRATIONS.length;
    const what = 'device book';
    this.#file = new SqliteFile({ file, access, migrations: CATALOG_MIGRATIONS, leastVersion, what, wallMs });
    this.#wallMs = wallMs;
  }

  /** With `read-only`, a file that does not exist yet is an empty book and is not made. */
  start(): Promise<void> {
    return this.#file.start();
  }

  stop(): Promise<void> {
    this.#file.stop();
    return Promise.resolve();
  }

  addToken(hash: string, expiresAtMs: number): Promise<void> {
    return this.#write((db) => {
      db.prepare('INSERT INTO enrolment_tokens (hash, made_at, expires_at) VALUES (?, ?, ?)').run(
        hash,
        this.#wallMs(),
        expiresAtMs,
      );
    });
  }

  enrol({ tokenHash, device, keyId, publicKey }: EnrolmentAsk): Promise<EnrolmentOutcome> {
    return this.#write((db) => {
      const token = db.prepare('SELECT * FROM enrolment_tokens WHERE hash = ?').get(tokenHash);
      if (token === undefined) return 'unknown-token';
      const known = db.prepare('SELECT * FROM device_keys WHERE key_id = ?').get(keyId);
      if (token['used_by'] !== null) {
        const isSame = token['used_by'] === keyId && known?.['device'] === device;
        return isSame && known['revoked_at'] === null ? 'known' : 'used-token';
      }
      const now = this.#wallMs();
      if (Number(token['expires_at']) <= now) return 'expired-token';
      const counting = db.prepare('SELECT 1 FROM device_keys WHERE device = ? AND revoked_at IS NULL');
      // A key is enrolled once: a revoked one must not come back under another name.
      if (known !== undefined || counting.get(device) !== undefined) return 'taken';
      db.prepare('UPDATE enrolment_tokens SET used_by = ? WHERE hash = ?').run(keyId, tokenHash);
      db.prepare('INSERT INTO device_keys (key_id, device, public_key, enrolled_at) VALUES (?, ?, ?, ?)').run(
        keyId,
        device,
        publicKey,
        now,
      );
      return 'enrolled';
    });
  }

  find(keyId: string): Promise<DeviceKey | null> {
    const row = this.#file.mustBeOpen().prepare('SELECT * FROM device_keys WHERE key_id = ?').get(keyId);
    return Promise.resolve(row === undefined ? null : keyOf(row));
  }

  hasEnrolled(device: string): Promise<boolean> {
    const row = this.#file.mustBeOpen().prepare('SELECT 1 FROM device_keys WHERE device = ?').get(device);
    return Promise.resolve(row !== undefined);
  }

  list(): Promise<readonly DeviceKey[]> {
    const rows = this.#file.db?.prepare('SELECT * FROM device_keys ORDER BY enrolled_at, key_id').all() ?? [];
    return Promise.resolve(rows.map(keyOf));
  }

  revoke(device: string): Promise<number> {
    return this.#write((db) => {
      const revoke = db.prepare(
        'UPDATE device_keys SET revoked_at = ? WHERE device = ? AND revoked_at IS NULL',
      );
      return Number(revoke.run(this.#wallMs(), device).changes);
    });
  }

  async #write<Result>(act: (db: DatabaseSync) => Result): Promise<Result> {
    await Promise.resolve();
    return this.#file.inTransaction(act);
  }
}

function keyOf(row: Record<string, SQLOutputValue>): DeviceKey {
  const { revoked_at: revokedAt } = row;
  return {
    keyId: String(row['key_id']),
    device: String(row['device']),
    publicKey: String(row['public_key']),
    enrolledAtMs: Number(row['enrolled_at']),
    revokedAtMs: revokedAt === null ? null : Number(revokedAt),
  };
}
