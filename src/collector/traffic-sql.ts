import { sql } from 'kysely';
import { SqlBook } from './sql-book.ts';
import type { DayTraffic, Traffic } from './traffic.ts';

const DAY_MS = 86_400_000;

/** Counted from the catalogue's table. */
export class SqlTraffic extends SqlBook implements Traffic {
  async days(sinceMs: number): Promise<readonly DayTraffic[]> {
    // Both databases divide whole numbers to a whole number; what they count comes as text from one of them.
    const day = sql<number | string>`received_at / ${sql.lit(DAY_MS)}`;
    const rows = await this.database.tables
      .selectFrom('segments')
      .select(({ fn }) => [
        day.as('day'),
        fn.countAll().as('segments'),
        fn.sum('size').as('bytes'),
        fn.count('device').distinct().as('devices'),
      ])
      .where('received_at', '>=', sinceMs)
      .groupBy(day)
      .orderBy(day)
      .execute();
    return rows.map((row) => ({
      day: new Date(Number(row.day) * DAY_MS).toISOString().slice(0, 10),
      segments: Number(row.segments),
      bytes: Number(row.bytes),
      devices: Number(row.devices),
    }));
  }
}
