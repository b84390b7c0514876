import type { Erased, Erasure } from './catalog.ts';
import type { SegmentKeeper } from './put-segment.ts';
import { nameOf } from './segment-key.ts';

/** A thousand objects of a store over the network would take half a minute one after another. */
const REMOVALS_AT_ONCE = 16;

/**
 * Erases segments: rows and tombstones first, durable, then the objects. Killed between the two, the next start removes
 * the objects; in a store that is shared they are removed once more when nobody can be publishing them any longer. Noted
 * elsewhere before all: who is told that something is gone must not see it come back from a backup. When this resolves
 * nothing of them can be read here any more.
 */
export async function eraseSegments(
  erasure: Erasure,
  { store, catalog, queue, erasureLog }: Pick<SegmentKeeper, 'store' | 'catalog' | 'queue' | 'erasureLog'>,
): Promise<Erased> {
  await erasureLog?.append(erasure);
  const outcome = await catalog.erase(erasure);
  const { device } = erasure;
  const waiting = [...erasure.segments];
  const work = async (): Promise<void> => {
    for (let segment = waiting.pop(); segment !== undefined; segment = waiting.pop()) {
      const key = { device, segment };
      // After a body that is being published just now: it sees the tombstone before, or its object goes after.
      await queue.run(nameOf(key), () => store.remove(key));
    }
  };
  await Promise.all(Array.from({ length: REMOVALS_AT_ONCE }, work));
  return outcome;
}
