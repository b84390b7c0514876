import type { Catalog, SegmentRecord } from './catalog.ts';
import type { ObjectStore } from './object-store.ts';
import type { SegmentKey } from './segment-key.ts';

/**
 * A body that has been announced is published and gets its row within seconds: every step has a time limit of its own. What
 * is older than this is nobody's any more.
 */
const SETTLED_MS = 15 * 60_000;

/**
 * Adds a row for every object that has none: its process died between publishing it and adding the row. Only bodies
 * with the right digest are ever published, so each is a whole segment. Objects that were erased go. In a store that is shared,
 * where one that has no row may be another's that is just being published, this looks only at what has long been unsettled,
 * however many objects there are. Returns how many rows were added.
 */
export async function adoptOrphans(store: ObjectStore, catalog: Catalog, nowMs: number): Promise<number> {
  let adopted = 0;
  for await (const key of store.isShared ? catalog.unsettled(nowMs - SETTLED_MS) : store.list())
    if (await adopt(key, store, catalog)) adopted += 1;
  return adopted;
}

async function adopt(key: SegmentKey, store: ObjectStore, catalog: Catalog): Promise<boolean> {
  if ((await catalog.find(key)) === null) {
    // Its process may have died between the tombstone and the object.
    const record = (await catalog.isErased(key)) ? null : await recordFromBytes(store, key);
    const outcome = record === null ? 'erased' : await catalog.add(record);
    if (outcome === 'added') return true;
    if (await catalog.isErased(key)) await store.remove(key);
  }
  await catalog.settle(key);
  return false;
}

/** The row of a stored object, made from its bytes; `null` when there is no object. */
export async function recordFromBytes(store: ObjectStore, key: SegmentKey): Promise<SegmentRecord | null> {
  const described = await store.describe(key);
  const sha256 = await store.digest(key);
  if (described === null || sha256 === null) return null;
  const { sizeBytes, writtenAtMs } = described;
  return { ...key, sizeBytes, sha256, receivedAtMs: writtenAtMs };
}
