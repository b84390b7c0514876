import type { Selectable } from 'kysely';
import { FIRST_KEY, inPages, PAGE_ROWS } from './pages-sql.ts';
import type { SegmentKey } from './segment-key.ts';
import { SqlBook } from './sql-book.ts';
import type { Tables } from './tables.ts';
import type { Dropped, UsableSegment, UseBook, Withdrawal } from './use-book.ts';

/** The book in tables of the catalogue's database. */
export class SqlUseBook extends SqlBook implements UseBook {
  async withdraw({ device, request, receipts, atMs }: Withdrawal): Promise<void> {
    const values = [...new Set(receipts)]
      .sort()
      .map((receipt) => ({ device, receipt, request, withdrawn_at: atMs }));
    await this.database.inTransaction(async (tables) => {
      await tables
        .insertInto('withdrawals')
        .values(values)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    });
  }

  async isWithdrawn(device: string, receipt: string): Promise<boolean> {
    const found = await this.database.tables
      .selectFrom('withdrawals')
      .select('receipt')
      .where('device', '=', device)
      .where('receipt', '=', receipt)
      .executeTakeFirst();
    return found !== undefined;
  }

  async *usable(nowMs: number, sinceMs = 0): AsyncGenerator<UsableSegment, void, undefined> {
    yield* inPages(async (after: SegmentKey = FIRST_KEY) =>
      (
        await this.#usable(nowMs)
          .where('segments.received_at', '>=', sinceMs)
          .where((is) =>
            is(
              is.refTuple('segments.device', 'segments.segment'),
              '>',
              is.tuple(after.device, after.segment),
            ),
          )
          .orderBy('segments.device')
          .orderBy('segments.segment')
          .limit(PAGE_ROWS)
          .execute()
      ).flatMap(usableOf),
    );
  }

  async findUsable({ device, segment }: SegmentKey, nowMs: number): Promise<UsableSegment | null> {
    const row = await this.#usable(nowMs)
      .where('segments.device', '=', device)
      .where('segments.segment', '=', segment)
      .executeTakeFirst();
    return (row === undefined ? [] : usableOf(row))[0] ?? null;
  }

  async *dropped(sinceMs: number): AsyncGenerator<Dropped, void, undefined> {
    yield* inPages((after) => this.#removed(sinceMs, after));
    yield* inPages((after) => this.#withdrawn(sinceMs, after));
  }

  #usable(nowMs: number) {
    return this.database.tables
      .selectFrom('segments')
      .leftJoin('withdrawals', (join) =>
        join
          .onRef('withdrawals.device', '=', 'segments.device')
          .onRef('withdrawals.receipt', '=', 'segments.receipt'),
      )
      .selectAll('segments')
      .where('segments.receipt', 'is not', null)
      .where('segments.expires_at', '>', nowMs)
      .where('withdrawals.receipt', 'is', null);
  }

  async #removed(sinceMs: number, after: SegmentKey = FIRST_KEY): Promise<Dropped[]> {
    const rows = await this.database.tables
      .selectFrom('tombstones')
      .selectAll()
      .where('erased_at', '>=', sinceMs)
      // Nobody has a copy of what never came.
      .where('was_kept', '=', 1)
      .where((is) => is(is.refTuple('device', 'segment'), '>', is.tuple(after.device, after.segment)))
      .orderBy('device')
      .orderBy('segment')
      .limit(PAGE_ROWS)
      .execute();
    return rows.map(({ device, segment, erased_at: atMs, why }) => ({
      ...{ device, segment, atMs },
      why: why === 'expired' ? 'expired' : 'deleted',
    }));
  }

  async #withdrawn(sinceMs: number, after: SegmentKey = FIRST_KEY): Promise<Dropped[]> {
    const rows = await this.database.tables
      .selectFrom('withdrawals')
      .innerJoin('segments', (join) =>
        join
          .onRef('segments.device', '=', 'withdrawals.device')
          .onRef('segments.receipt', '=', 'withdrawals.receipt'),
      )
      .select(['segments.device', 'segments.segment', 'withdrawals.withdrawn_at'])
      .where('withdrawals.withdrawn_at', '>=', sinceMs)
      .where((is) =>
        is(is.refTuple('segments.device', 'segments.segment'), '>', is.tuple(after.device, after.segment)),
      )
      .orderBy('segments.device')
      .orderBy('segments.segment')
      .limit(PAGE_ROWS)
      .execute();
    return rows.map(({ device, segment, withdrawn_at: atMs }) => ({
      device,
      segment,
      atMs,
      why: 'withdrawn',
    }));
  }
}

/** The condition lets no other through; that is not left to the database alone. */
function usableOf(row: Selectable<Tables['segments']>): UsableSegment[] {
  const { device, segment, size, sha256, received_at, expires_at, sequence, receipt } = row;
  if (expires_at === null || receipt === null) return [];
  const times = { receivedAtMs: received_at, expiresAtMs: expires_at };
  return [{ device, segment, sizeBytes: size, sha256, ...times, sequence, receipt }];
}
