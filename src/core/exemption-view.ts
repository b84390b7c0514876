import type { Instant } from './clock.ts';
import { isOver } from './deadline.ts';
import type { Exemption, ExemptionState } from './exemption.ts';

/** An exemption as people and scripts see it. Times are ISO 8601 UTC; `null` is "not yet". */
export interface ExemptionView {
  readonly id: string;
  readonly state: ExemptionState;
  readonly scope: string;
  readonly askedAt: string;
  readonly until: string;
  readonly decidedAt: string | null;
  readonly decidedBy: string;
  /** What the deciders say. */
  readonly decisionReason: string;
  /** After a denial: when what was withheld may leave; `null` when that is over. */
  readonly releaseAt: string | null;
}

export function exemptionView(exemption: Exemption, now: Instant): ExemptionView {
  const { id, state, scope, askedWallMs, end, decision, release } = exemption;
  const iso = (bootMs: number): string => new Date(now.wallMs + bootMs - now.bootMs).toISOString();
  return {
    id,
    state,
    scope,
    askedAt: new Date(askedWallMs).toISOString(),
    until: iso(end.untilBootMs),
    decidedAt: decision === null ? null : new Date(decision.atWallMs).toISOString(),
    decidedBy: decision?.by ?? '',
    decisionReason: decision?.reason ?? '',
    releaseAt: release === null || isOver(release, now) ? null : iso(release.untilBootMs),
  };
}
