import type { HealthBook, HealthRecord } from './health-book.ts';
import { SqlBook } from './sql-book.ts';

/** The book in a table of a database. */
export class SqlHealthBook extends SqlBook implements HealthBook {
  put({ device, day, version, backend, codes }: HealthRecord): Promise<void> {
    const word = { day, version, backend, codes: codes.join(' ') };
    return this.database.inTransaction(async (tables) => {
      await tables
        .insertInto('device_health')
        .values({ device, ...word })
        .onConflict((conflict) => conflict.column('device').doUpdateSet(word))
        .execute();
    });
  }

  async list(): Promise<readonly HealthRecord[]> {
    const rows = await this.database.tables
      .selectFrom('device_health')
      .selectAll()
      .orderBy('device')
      .execute();
    return rows.map((row) => ({ ...row, codes: row.codes === '' ? [] : row.codes.split(' ') }));
  }

  forgetBefore(day: string): Promise<number> {
    return this.database.inTransaction(async (tables) => {
      const { numDeletedRows } = await tables
        .deleteFrom('device_health')
        .where('day', '<', day)
        .executeTakeFirst();
      return Number(numDeletedRows);
    });
  }
}
