import type { CollectionName, ConsentStanding, Reason } from './collection.ts';
import type { NetworkKind, PowerState, Session } from './conditions.ts';
import type { ExemptionView } from './exemption-view.ts';
import type { FocusName } from './focus.ts';
import type { ToldHealth } from './health.ts';
import type { Shown } from './notifier.ts';
import type { RequestKind } from './person-request.ts';
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
    /** Why that back end, in words; empty while none has started. */
    readonly backendWhy: string;
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
    /** Whether it is known what is in use; never what. `excluded`: nothing is recorded now. `null`: no one looks. */
    readonly focus: FocusName | null;
  };
  readonly spool: {
    readonly segments: number;
    readonly bytes: number;
    readonly limitBytes: number;
    readonly oldestAt: string | null;
    /** Closed journals that wait to be sealed, as they do on battery; they are not in `upload.queued`. */
    readonly waiting: { readonly segments: number; readonly bytes: number };
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
    /** What the collector was last told of the program here, and the UTC day; `null`: nothing yet. */
    readonly health?: ToldHealth | null;
  };
  readonly conditions: {
    readonly power: PowerState;
    readonly network: {
      readonly kind: NetworkKind;
      readonly metered: 'yes' | 'no' | 'unknown';
      readonly ssidAllowed: boolean | null;
    };
    /** The lock of the person's session, and who tells of it; no `sources`: nothing here tells when it is locked. */
    readonly session: Session;
  };
  readonly consent: {
    readonly state: ConsentStanding;
    readonly noticeId: string | null;
    readonly grantedAt: string | null;
  };
  /** What the person was last told of recording or an exemption, and whether a desktop showed it. */
  readonly announcement?: {
    readonly what: 'began' | 'resumed' | 'exemption-approved' | 'exemption-denied' | 'exemption-expired';
    readonly at: string;
    readonly shown: Shown;
  } | null;
  /** What the person asked to be exempt from, the oldest first. */
  readonly exemptions: readonly ExemptionView[];
  /** What the person asked of a collector and is not settled yet, oldest first. `problem`: why the last try failed. */
  readonly requests: readonly {
    readonly id: string;
    readonly kind: RequestKind;
    readonly destination: string;
    readonly createdAt: string;
    readonly attempts: number;
    readonly nextAttemptAt: string | null;
    readonly problem: string;
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

/**
 * All that another account of the machine is told by `GET /v1/status`, so that a colleague's status cannot be used to
 * watch them: no counts, times, reasons or exemptions. A lock or an exemption shows as `paused`.
 */
export interface PublicStatus {
  readonly schema: 1;
  readonly restricted: true;
  readonly daemon: { readonly version: string };
  readonly collection: { readonly state: CollectionName };
}

/** What of a report another account may see. */
export function publicStatus({ daemon, collection: { state } }: StatusReport): PublicStatus {
  return {
    schema: 1,
    restricted: true,
    daemon: { version: daemon.version },
    collection: { state: state === 'locked' || state === 'exempt' ? 'paused' : state },
  };
}
