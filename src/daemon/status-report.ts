import type { Instant } from '../core/clock.ts';
import type { CollectionState, Reason } from '../core/collection.ts';
import { exemptUntilBootMs, remainingPauseMs } from '../core/collection.ts';
import type { Network, Power, Session } from '../core/conditions.ts';
import { exemptionView } from '../core/exemption-view.ts';
import { type FocusName, focusReasons } from '../core/focus.ts';
import type { StatusReport } from '../core/status.ts';
import type { Spool } from '../spool/spool.ts';
import { spentAt } from '../upload/spending.ts';
import type { Announcement } from './announcer.ts';
import type { CollectionDriver } from './collection-driver.ts';
import type { ConsentKeeper } from './consent-keeper.ts';
import type { CostMeter } from './cost-meter-node.ts';
import type { ExemptionKeeper } from './exemption-keeper.ts';
import type { HealthKeeper } from './health-keeper.ts';
import type { PersonRequests } from './person-requests.ts';
import type { PolicyKeeper } from './policy-keeper.ts';
import type { Recorder } from './recorder.ts';
import type { Sealer } from './sealer.ts';
import type { UploadDriver } from './upload-driver.ts';

/** The parts of a running daemon that a report is made of. */
export interface ReportParts {
  readonly identity: StatusReport['daemon'];
  readonly collection: CollectionDriver;
  readonly recorder: Recorder;
  readonly spool: Spool;
  readonly upload: UploadDriver;
  readonly nextUploadAt: () => Date | null;
  readonly power: () => Power;
  readonly network: () => Network;
  readonly session: () => Session;
  readonly consent: ConsentKeeper;
  readonly policy: PolicyKeeper;
  readonly cost: CostMeter;
  readonly announcement: () => Announcement | null;
  readonly sealer: Sealer;
  readonly requests: PersonRequests;
  readonly exemptions: ExemptionKeeper;
  readonly health: HealthKeeper;
  /** Beside the reasons for the state. */
  readonly notes: readonly Reason[];
  /** What the capture process knows of the window in use; `null` while there is none. */
  readonly focus: FocusName | null;
}

/** `telemetryctl status --json` as of now. */
export function statusReport(parts: ReportParts, now: Instant): StatusReport {
  const { collection, recorder, policy } = parts;
  return {
    schema: 1,
    daemon: parts.identity,
    collection: {
      state: collection.state.name,
      since: iso(collection.state.sinceWallMs),
      until: untilOf(collection.state, now),
      reasons: [...collection.reasons(), ...focusNotes(parts), ...parts.notes],
    },
    capture: {
      backend: recorder.backend?.backend ?? policy.policy?.capture.backend ?? 'auto',
      backendWhy: recorder.backend?.why ?? '',
      alive: collection.state.child.phase === 'running',
      pid: collection.childPid,
      lastEventAt: recorder.lastEventWallMs === null ? null : iso(recorder.lastEventWallMs),
      events: { recorded: recorder.recordedEvents, ...recorder.loss },
      restarts: collection.state.restarts,
      focus: parts.focus,
    },
    spool: spoolPart(parts),
    upload: uploadPart(parts, now),
    conditions: conditionsPart(parts),
    consent: consentPart(parts.consent),
    announcement: parts.announcement(),
    exemptions: parts.exemptions.list.map((exemption) => exemptionView(exemption, now)),
    requests: requestsPart(parts.requests),
    policy: {
      source: policy.loaded?.source ?? 'none',
      id: policy.loaded?.id ?? null,
      keys: policy.policy?.capture.keys ?? 'off',
      problems: policy.problems,
    },
    cost: costPart(parts),
  };
}

/** What the focus withholds; said only while it decides. */
function focusNotes({ collection, focus, policy }: ReportParts): Reason[] {
  if (policy.policy === null || collection.state.name !== 'capturing') return [];
  return focusReasons(focus, policy.policy.capture);
}

function untilOf(state: CollectionState, now: Instant): string | null {
  const leftMs = remainingPauseMs(state, now);
  if (state.name === 'paused' && leftMs > 0) return iso(now.wallMs + leftMs);
  const exemptUntil = state.name === 'exempt' ? exemptUntilBootMs(state, now) : null;
  return exemptUntil === null ? null : iso(now.wallMs + exemptUntil - now.bootMs);
}

function spoolPart({ spool, policy, collection }: ReportParts): StatusReport['spool'] {
  const stats = spool.stats();
  return {
    segments: stats.segments,
    bytes: stats.bytes,
    limitBytes: policy.policy?.spool.limitBytes ?? 0,
    oldestAt: stats.oldestWallMs === null ? null : iso(stats.oldestWallMs),
    waiting: stats.waiting,
    quarantined: stats.quarantined.segments,
    problem: collection.state.storage?.text ?? null,
  };
}

function uploadPart(
  { upload, spool, policy, nextUploadAt, health }: ReportParts,
  now: Instant,
): StatusReport['upload'] {
  const stats = spool.stats();
  const spent = spentAt(upload.state.spending, now.wallMs);
  const limits = policy.policy?.upload;
  return {
    gate: upload.blockers.length === 0 ? 'open' : 'closed',
    blockers: upload.blockers.map(({ code, text, sinceWallMs }) => ({ code, text, since: iso(sinceWallMs) })),
    queued: stats.queued,
    lastSuccessAt: upload.state.lastSuccessWallMs === null ? null : iso(upload.state.lastSuccessWallMs),
    nextAttemptAt:
      upload.startsAtWallMs === null ? (nextUploadAt()?.toISOString() ?? null) : iso(upload.startsAtWallMs),
    sent: {
      todayBytes: spent.todayBytes,
      monthBytes: spent.monthBytes,
      totalBytes: stats.sentEver.bytes,
      totalSegments: stats.sentEver.segments,
    },
    budget: { dailyBytes: limits?.dailyBudgetBytes ?? 0, monthlyBytes: limits?.monthlyBudgetBytes ?? 0 },
    destination: limits?.url ?? '',
    isSending: upload.isSending,
    health: health.told,
  };
}

function conditionsPart({ power, network, session, policy }: ReportParts): StatusReport['conditions'] {
  const { kind, metered, ssid } = network();
  const ssids = policy.policy?.upload.ssids ?? [];
  const ssidAllowed = ssids.length === 0 || kind !== 'wifi' ? null : ssid !== null && ssids.includes(ssid);
  return { power: power().state, network: { kind, metered, ssidAllowed }, session: session() };
}

function consentPart(consent: ConsentKeeper): StatusReport['consent'] {
  const { state, receipt } = consent.view;
  return { state, noticeId: receipt?.noticeId ?? null, grantedAt: receipt?.grantedAt ?? null };
}

function requestsPart(requests: PersonRequests): StatusReport['requests'] {
  return requests.pending().map(({ request, attempts, nextAttemptWallMs, problem }) => {
    const { id, kind, destination, createdAt } = request;
    const nextAttemptAt = nextAttemptWallMs === null ? null : iso(nextAttemptWallMs);
    return { id, kind, destination, createdAt, attempts, nextAttemptAt, problem };
  });
}

/** Below a minute of input the rate says nothing. */
const LEAST_HOURS = 1 / 60;

function costPart({ cost, recorder, sealer }: ReportParts): StatusReport['cost'] {
  const closedHours = recorder.closedActiveMs / 3_600_000;
  return {
    ...cost.report(),
    bytesPerActiveHour: closedHours < LEAST_HOURS ? 0 : Math.round(sealer.sealedBytes / closedHours),
    activeHours: Number((recorder.activeMs / 3_600_000).toFixed(4)),
  };
}

function iso(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
