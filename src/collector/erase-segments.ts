import type { Erased, Erasure } from './catalog.ts';
import type { SegmentKeeper } from './put-segment.ts';

/**
 * Erases segments: rows and tombstones first, durable, then the objects. Killed between the two, the next start removes
 * the objects. Noted elsewhere before all: who is told that something is gone must not see it come back from a backup.
 * When this resolves nothing of them can be read here any more.
 */
export async function eraseSegments(
  erasure: Erasure,
  { store, catalog, queue, erasureLog }: Pick<SegmentKeeper, 'store' | 'catalog' | 'queue' | 'erasureLog'>,
): Promise<Erased> {
  await erasureLog?.append(erasure);
  const outcome = await catalog.erase(erasure);
  for (const segment of erasure.segments) {
    const key = { device: erasure.device, segment };
    // After a body that is being published just now: it sees the tombstone before, or its object goes after.
    await queue.run(`${key.device}/${key.segment}`, () => store.remove(key));
  }
  return outcome;
}
