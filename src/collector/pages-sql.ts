import type { SegmentKey } from './segment-key.ts';

/** Rows that are in memory at once, some 300 bytes each. */
export const PAGE_ROWS = 1000;

/** Comes before every key. */
export const FIRST_KEY: SegmentKey = { device: '', segment: '' };

/**
 * Rows in pages of {@link PAGE_ROWS}, none of which holds a connection while its rows are looked at. `page` gives those
 * that come after a row, or the first ones.
 */
export async function* inPages<Row>(
  page: (after?: Row) => Promise<readonly Row[]>,
): AsyncGenerator<Row, void, undefined> {
  for (let after: Row | undefined; ; ) {
    const rows = await page(after);
    yield* rows;
    after = rows.at(-1);
    if (after === undefined || rows.length < PAGE_ROWS) return;
  }
}
