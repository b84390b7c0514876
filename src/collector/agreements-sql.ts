import type { AgreementName, Agreements } from './agreements.ts';
import type { Database } from './database.ts';

/** In a table of the catalogue's database, which whoever uses this has started. */
export class SqlAgreements implements Agreements {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async agree(name: AgreementName, value: string): Promise<string> {
    await this.#database.tables
      .insertInto('agreements')
      .values({ name, value })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return (await this.find(name)) ?? value;
  }

  async find(name: AgreementName): Promise<string | null> {
    const agreements = this.#database.tables.selectFrom('agreements').select('value');
    return (await agreements.where('name', '=', name).executeTakeFirst())?.value ?? null;
  }
}
