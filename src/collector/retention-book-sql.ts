import { sql } from 'kysely';
import type { RetentionBook } from './retention-book.ts';
import { nameOf, type SegmentKey } from './segment-key.ts';
import { SqlBook } from './sql-book.ts';
import { unsettle } from './unsettled-sql.ts';

/** The book in tables of the catalogue's database. */
export class SqlRetentionBook extends SqlBook implements RetentionBook {
  shorten(retentionMs: number): Promise<number> {
    return this.database.inTransaction(async (tables) => {
      const latest = sql<number>`received_at + ${retentionMs}`;
      const { numUpdatedRows } = await tables
        .updateTable('segments')
        .set({ expires_at: latest })
        .where((is) => is.or([is('expires_at', 'is', null), is('expires_at', '>', latest)]))
        .executeTakeFirst();
      return Number(numUpdatedRows);
    });
  }

  expire(nowMs: number, limit: number): Promise<readonly SegmentKey[]> {
    return this.database.inTransaction(async (tables) => {
      const over = await tables
        .selectFrom('segments')
        .select(['device', 'segment'])
        .where('expires_at', '<=', nowMs)
        .orderBy('expires_at')
        .limit(limit)
        .execute();
      // In one order, so that no two transactions wait for each other's rows.
      const keys = over.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
      for (const { device, segment } of keys) {
        const { numDeletedRows } = await tables
          .deleteFrom('segments')
          .where('device', '=', device)
          .where('segment', '=', segment)
          .executeTakeFirst();
        // Another instance was sooner, or its person was.
        if (Number(numDeletedRows) === 0) continue;
        await tables
          .insertInto('tombstones')
          .values({ device, segment, was_kept: 1, erased_at: nowMs, why: 'expired' })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
      }
      if (this.database.isShared) await unsettle(tables, keys, nowMs);
      return keys;
    });
  }

  async nextExpiryMs(): Promise<number | null> {
    const next = await this.database.tables
      .selectFrom('segments')
      .select('expires_at')
      .where('expires_at', 'is not', null)
      .orderBy('expires_at')
      .limit(1)
      .executeTakeFirst();
    return next?.expires_at ?? null;
  }
}
