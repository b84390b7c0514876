/** Calls `fire` once after `delayMs` of real time; the returned function takes it back. */
export type Delay = (delayMs: number, fire: () => void) => () => void;

/**
 * {@link Delay} on Node's timers. Real time on purpose: what it bounds (a process that hangs, a batch on its way) does
 * not run on recorded time even when everything else does.
 */
export const delayNode: Delay = (delayMs, fire) => {
  const timer = setTimeout(fire, delayMs);
  return () => clearTimeout(timer);
};
