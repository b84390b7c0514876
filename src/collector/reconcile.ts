import type { Catalog, SegmentRecord } from './catalog.ts';
import type { ObjectStore } from './object-store.ts';
import type { SegmentKey } from './segment-key.ts';

/**
 * Adds a row for every object that has none: its process died between publishing it and adding the row. Only bodies
 * with the right digest are ever published, so each is a whole segment. Objects that were erased go. Returns how many
 * rows were added.
 */
export async function adoptOrphans(store: ObjectStore, catalog: Catalog): Promise<number> {
  let adopted = 0;
  for await (const key of store.list()) {
    // Its process died between the tombstone and the object.
    if (await catalog.isErased(key)) {
      await store.remove(key);
      continue;
    }
    if ((await catalog.find(key)) !== null) continue;
    const record = await recordFromBytes(store, key);
    if (record !== null && (await catalog.add(record)) === 'added') adopted += 1;
  }
  return adopted;
}

/** The row of a stored object, made from its bytes; `null` when there is no object. */
export async function recordFromBytes(store: ObjectStore, key: SegmentKey): Promise<SegmentRecord | null> {
  const described = await store.describe(key);
  const sha256 = await store.digest(key);
  if (described === null || sha256 === null) return null;
  const { sizeBytes, writtenAtMs } = described;
  return { ...key, sizeBytes, sha256, receivedAtMs: writtenAtMs };
}
