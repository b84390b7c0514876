import type { Kysely } from 'kysely';
import type { SegmentKey } from './segment-key.ts';
import type { Tables } from './tables.ts';

/**
 * Notes objects that are about to be published or removed, in a store that several share: whoever does so may die, or be
 * slow, and this is where the others look for what is left of it.
 */
export async function unsettle(
  tables: Kysely<Tables>,
  keys: readonly SegmentKey[],
  atMs: number,
): Promise<void> {
  if (keys.length === 0) return;
  await tables
    .insertInto('unsettled')
    .values(keys.map(({ device, segment }) => ({ device, segment, since: atMs })))
    .onConflict((conflict) =>
      conflict.columns(['device', 'segment']).doUpdateSet((is) => ({ since: is.ref('excluded.since') })),
    )
    .execute();
}
