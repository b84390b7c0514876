import type { Clock, Instant } from './clock.ts';

/** Who asked for a pause: the person whose input it is, or another account of the machine. */
export type Requester = 'person' | `uid:${number}`;

/** A pause that stands. Within its boot it ends at `untilBootMs`, whatever the wall clock does. */
export interface Pause {
  readonly requester: Requester;
  /** Stays on the device; `""` when none was given. */
  readonly reason: string;
  readonly askedMs: number;
  readonly startWallMs: number;
  readonly bootId: string;
  readonly untilBootMs: number;
  /** Wall-clock deadline and what was left, as of the last time the pause was written to disk. */
  readonly untilWallMs: number;
  readonly remainingMs: number;
}

export function startPause(requester: Requester, durationMs: number, reason: string, clock: Clock): Pause {
  const now = clock.now();
  return {
    requester,
    reason,
    askedMs: durationMs,
    startWallMs: now.wallMs,
    bootId: clock.bootId,
    untilBootMs: now.bootMs + durationMs,
    untilWallMs: now.wallMs + durationMs,
    remainingMs: durationMs,
  };
}

/** The pause with its wall-clock deadline and remainder as of `now`, to be written to disk (at every heartbeat). */
export function refreshPause(pause: Pause, now: Instant): Pause {
  const remainingMs = Math.max(0, pause.untilBootMs - now.bootMs);
  return { ...pause, remainingMs, untilWallMs: now.wallMs + remainingMs };
}

/**
 * A pause read back from disk, on this boot's clock; `undefined` when it is over.
 *
 * In the same boot nothing changes. After a reboot the wall-clock deadline counts, but never for longer than the
 * remainder last written, and all of this boot's uptime counts as elapsed; with a clock that stands before the
 * pause's start, that bound alone decides.
 */
export function restorePause(saved: Pause, clock: Clock): Pause | undefined {
  const now = clock.now();
  if (saved.bootId === clock.bootId) return saved.untilBootMs > now.bootMs ? saved : undefined;
  const isClockUsable = now.wallMs >= saved.startWallMs;
  const byWall = isClockUsable ? now.bootMs + (saved.untilWallMs - now.wallMs) : Infinity;
  const untilBootMs = Math.min(byWall, saved.remainingMs);
  if (untilBootMs <= now.bootMs) return undefined;
  return refreshPause({ ...saved, bootId: clock.bootId, untilBootMs }, now);
}
