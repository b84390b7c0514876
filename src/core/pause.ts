import type { Clock } from './clock.ts';
import { type Deadline, isOver, restoreDeadline, startDeadline } from './deadline.ts';

/** Who asked for a pause: the person whose input it is, or another account of the machine. */
export type Requester = 'person' | `uid:${number}`;

/** A pause that stands. */
export interface Pause extends Deadline {
  readonly requester: Requester;
  /** Stays on the device; `""` when none was given. */
  readonly reason: string;
  readonly askedMs: number;
}

export function startPause(requester: Requester, durationMs: number, reason: string, clock: Clock): Pause {
  return { requester, reason, askedMs: durationMs, ...startDeadline(durationMs, clock) };
}

/** A pause read back from disk, on this boot's clock; `undefined` when it is over. It never lasts longer than asked. */
export function restorePause(saved: Pause, clock: Clock): Pause | undefined {
  const restored = restoreDeadline(saved, clock);
  return isOver(restored, clock.now()) ? undefined : restored;
}
