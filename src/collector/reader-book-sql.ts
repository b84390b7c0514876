import { inPages, PAGE_ROWS } from './pages-sql.ts';
import type { Access, Reader, ReaderBook } from './reader-book.ts';
import { SqlBook } from './sql-book.ts';

/** The book in tables of the catalogue's database. */
export class SqlReaderBook extends SqlBook implements ReaderBook {
  add(name: string, tokenHash: string, atMs: number): Promise<boolean> {
    return this.database.inTransaction(async (tables) => {
      const { numInsertedOrUpdatedRows } = await tables
        .insertInto('readers')
        .values({ name, token_hash: tokenHash, added_at: atMs, revoked_at: null })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return Number(numInsertedOrUpdatedRows) > 0;
    });
  }

  async nameOf(tokenHash: string): Promise<string | null> {
    const found = await this.database.tables
      .selectFrom('readers')
      .select('name')
      .where('token_hash', '=', tokenHash)
      .where('revoked_at', 'is', null)
      .executeTakeFirst();
    return found?.name ?? null;
  }

  async list(): Promise<readonly Reader[]> {
    const rows = await this.database.tables.selectFrom('readers').selectAll().orderBy('name').execute();
    return rows.map(({ name, added_at, revoked_at }) => {
      return { name, addedAtMs: added_at, revokedAtMs: revoked_at };
    });
  }

  revoke(name: string, atMs: number): Promise<boolean> {
    return this.database.inTransaction(async (tables) => {
      const { numUpdatedRows } = await tables
        .updateTable('readers')
        .set({ revoked_at: atMs })
        .where('name', '=', name)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      return Number(numUpdatedRows) > 0;
    });
  }

  async note({ atMs, reader, what, device, segment }: Access): Promise<void> {
    await this.database.inTransaction(async (tables) => {
      await tables.insertInto('access_log').values({ at: atMs, reader, what, device, segment }).execute();
    });
  }

  async *accesses(sinceMs: number): AsyncGenerator<Access, void, undefined> {
    const rows = inPages((after?: { readonly seq: number }) =>
      this.database.tables
        .selectFrom('access_log')
        .selectAll()
        .where('at', '>=', sinceMs)
        .where('seq', '>', after?.seq ?? 0)
        .orderBy('seq')
        .limit(PAGE_ROWS)
        .execute(),
    );
    for await (const { at, reader, what, device, segment } of rows)
      yield { atMs: at, reader, what, device, segment };
  }
}
