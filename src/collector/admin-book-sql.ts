import type { Admin, AdminBook } from './admin-book.ts';
import type { Database } from './database.ts';
import { SqlBook } from './sql-book.ts';

/** The book in a table of a database. */
export class SqlAdminBook extends SqlBook implements AdminBook {
  readonly #wallMs: () => number;

  constructor(database: Database, wallMs: () => number) {
    super(database);
    this.#wallMs = wallMs;
  }

  add(name: string, tokenHash: string): Promise<'added' | 'taken'> {
    const admin = { name, token_hash: tokenHash, made_at: this.#wallMs() };
    return this.database.inTransaction(async (tables) => {
      const added = await tables
        .insertInto('admins')
        .values(admin)
        .onConflict((conflict) => conflict.doNothing())
        .returning('name')
        .execute();
      return added.length > 0 ? 'added' : 'taken';
    });
  }

  async find(tokenHash: string): Promise<Admin | null> {
    const row = await this.database.tables
      .selectFrom('admins')
      .selectAll()
      .where('token_hash', '=', tokenHash)
      .executeTakeFirst();
    return row === undefined ? null : { name: row.name, madeAtMs: row.made_at };
  }

  async list(): Promise<readonly Admin[]> {
    const rows = await this.database.tables.selectFrom('admins').selectAll().orderBy('name').execute();
    return rows.map((row) => ({ name: row.name, madeAtMs: row.made_at }));
  }

  remove(name: string): Promise<boolean> {
    return this.database.inTransaction(async (tables) => {
      const { numDeletedRows } = await tables
        .deleteFrom('admins')
        .where('name', '=', name)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    });
  }
}
