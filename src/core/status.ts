import type { CollectionName, ConsentStanding, Reason } from './collection.ts';
import type { NetworkKind, PowerState } from './conditions.ts';
import type { PolicyProblem } from './policy.ts';

/**
 * `telemetryctl status --json`, schema 1. Only ever gains fields. Times are ISO 8601 UTC, sizes bytes, durations
 * milliseconds; `null` is "not known" or "not yet".
 */
export interface StatusReport {
  readonly schema: 1;
  readonly daemon: {
    readonly version: string;
    readonly pid: number | null;
    readonly startedAt: string | null;
    readonly mode: 'user' | 'system' | 'foreground';
    /** Conditions come from a simulated machine (`TELEMETRYD_SYSFS_ROOT`, another bus). */
    readonly simulated: boolean;
    readonly stateDir: string;
  };
  readonly collection: {
    readonly state: CollectionName;
    readonly since: string | null;
    readonly until: string | null;
    /** The deciding one first; behind them what the person should know although nothing is stopped by it. */
    readonly reasons: readonly Reason[];
  };
  readonly capture: {
    readonly backend: string;
    readonly alive: boolean;
    readonly pid: number | null;
    readonly lastEventAt: string | null;
    readonly events: {
      readonly recorded: number;
      readonly thinned: number;
      readonly redacted: number;
      readonly dropped: number;
    };
    readonly restarts: number;
  };
  readonly spool: {
    readonly segments: number;
    readonly bytes: number;
    readonly limitBytes: number;
    readonly oldestAt: string | null;
    readonly quarantined: number;
    readonly problem: string | null;
  };
  readonly upload: {
    readonly gate: 'open' | 'closed';
    readonly blockers: readonly { readonly code: string; readonly text: string; readonly since: string }[];
    readonly queued: { readonly segments: number; readonly bytes: number };
    readonly lastSuccessAt: string | null;
    readonly nextAttemptAt: string | null;
    readonly sent: {
      readonly todayBytes: number;
      readonly monthBytes: number;
      readonly totalBytes: number;
      readonly totalSegments: number;
    };
    readonly budget: { readonly dailyBytes: number; readonly monthlyBytes: number };
    readonly destination: string;
    readonly isSending: boolean;
  };
  readonly conditions: {
    readonly power: PowerState;
    readonly network: {
      readonly kind: NetworkKind;
      readonly metered: 'yes' | 'no' | 'unknown';
      readonly ssidAllowed: boolean | null;
    };
  };
  readonly consent: {
    readonly state: ConsentStanding;
    readonly noticeId: string | null;
    readonly grantedAt: string | null;
  };
  /** Exemption requests; empty until they can be made. */
  readonly exemptions: readonly {
    readonly id: string;
    readonly state: 'queued' | 'pending' | 'approved' | 'denied' | 'withdrawn' | 'expired';
    readonly scope: string;
    readonly until: string | null;
  }[];
  readonly policy: {
    readonly source: string;
    readonly id: string | null;
    readonly keys: string;
    readonly problems: readonly PolicyProblem[];
  };
  readonly cost: {
    readonly cpuSeconds: number;
    readonly cpuPercent: number;
    readonly wakeupsPerMinute: number;
    readonly rssBytes: number;
    readonly bytesPerActiveHour: number;
    readonly activeHours: number;
    /** The same of each process; a capture process that ended stays in what `capture` used. Empty with the daemon down. */
    readonly processes: readonly {
      readonly name: 'daemon' | 'capture';
      readonly pid: number | null;
      readonly cpuSeconds: number;
      readonly cpuPercent: number;
      readonly wakeupsPerMinute: number;
      readonly rssBytes: number;
    }[];
  };
}
