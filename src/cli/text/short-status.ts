import type { PublicStatus, StatusReport } from '../../core/status.ts';
import { roughSpan } from './moments.ts';

/** The state of collection as a few words, and how long it still lasts where that is known: `paused 12 min`. */
export function shortStatus(
  { state, until = null }: PublicStatus['collection'] & Partial<StatusReport['collection']>,
  nowMs: number,
): string {
  return until === null ? state : `${state} ${roughSpan(Date.parse(until) - nowMs)}`;
}
