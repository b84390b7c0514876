import type { Clock, Instant } from './clock.ts';

/** When something ends, kept so that it survives a restart. Within its boot it ends at `untilBootMs`, whatever the wall clock does. */
export interface Deadline {
  readonly startWallMs: number;
  readonly bootId: string;
  readonly untilBootMs: number;
  /** Wall-clock deadline and what was left, as of the last time it was written to disk. */
  readonly untilWallMs: number;
  readonly remainingMs: number;
}

export function startDeadline(durationMs: number, clock: Clock): Deadline {
  const now = clock.now();
  return {
    startWallMs: now.wallMs,
    bootId: clock.bootId,
    untilBootMs: now.bootMs + durationMs,
    untilWallMs: now.wallMs + durationMs,
    remainingMs: durationMs,
  };
}

/** With its wall-clock deadline and remainder as of `now`, to be written to disk. */
export function refreshDeadline<Kept extends Deadline>(deadline: Kept, now: Instant): Kept {
  const remainingMs = Math.max(0, deadline.untilBootMs - now.bootMs);
  return { ...deadline, remainingMs, untilWallMs: now.wallMs + remainingMs };
}

/**
 * A deadline read back from disk, on this boot's clock; it may be over.
 *
 * In the same boot nothing changes. After a reboot the wall-clock deadline counts, and all of this boot's uptime counts
 * as elapsed of the remainder last written; with a clock that stands before the start, the remainder alone decides.
 * Where the two differ, what must not last longer than was asked ends at the `sooner`, and what must not end before its
 * time at the `later`.
 */
export function restoreDeadline<Kept extends Deadline>(
  saved: Kept,
  clock: Clock,
  inDoubt: 'sooner' | 'later' = 'sooner',
): Kept {
  const now = clock.now();
  if (saved.bootId === clock.bootId) return saved;
  const byWall = now.bootMs + (saved.untilWallMs - now.wallMs);
  const isClockUsable = now.wallMs >= saved.startWallMs;
  const choose = inDoubt === 'sooner' ? Math.min : Math.max;
  const untilBootMs = isClockUsable ? choose(byWall, saved.remainingMs) : saved.remainingMs;
  return refreshDeadline({ ...saved, bootId: clock.bootId, untilBootMs }, now);
}

export function isOver(deadline: Deadline, now: Instant): boolean {
  return deadline.untilBootMs <= now.bootMs;
}
