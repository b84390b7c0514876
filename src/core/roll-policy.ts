/**
 * A journal of raw blocks takes 1.6 to 4.5 bytes an event; at 2.5 MiB it holds at most some 1.6 million, which a reader
 * takes whole (its limit is 2 million) and sealing needs little memory for.
 */
const ROLL_SIZE_BYTES = 2.5 * 1024 * 1024;

export interface OpenSegmentFacts {
  readonly openedBootMs: number;
  readonly sizeBytes: number;
}

/** Why the open segment must be rolled now; `null` when it need not. */
export function rollCause(open: OpenSegmentFacts, nowBootMs: number, rollMs: number): 'age' | 'size' | null {
  if (nowBootMs - open.openedBootMs >= rollMs) return 'age';
  return open.sizeBytes >= ROLL_SIZE_BYTES ? 'size' : null;
}
