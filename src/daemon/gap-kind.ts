import type { CollectionName, CollectionState, Reason } from '../core/collection.ts';
import type { Gap } from '../segment/types.ts';

/**
 * The kind of the gap that begins when capture goes over to another state: one for all that a person or a policy
 * withholds, so that a gap tells nothing about the person. `reason`: the first for the new state.
 */
export function gapKind(to: CollectionName, state: CollectionState, reason: Reason | undefined): Gap['kind'] {
  if (to !== 'blocked') return to === 'stopped' ? 'stopped' : 'withheld';
  if (state.failure !== null) return 'crashed';
  return reason?.code === 'starting' || reason?.code === 'storage' ? 'stopped' : 'withheld';
}
