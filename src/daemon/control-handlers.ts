import type { ControlHandlers } from '../control/handlers.ts';
import { type Peer, requesterOf } from '../control/peer.ts';
import { type ExemptionsReply, HEALTH_REPLY } from '../control/protocol.ts';
import type { Clock } from '../core/clock.ts';
import { remainingPauseMs } from '../core/collection.ts';
import { formatDuration } from '../core/duration.ts';
import { TelemetryError } from '../core/errors.ts';
import { exemptionView } from '../core/exemption-view.ts';
import { type Requester, startPause } from '../core/pause.ts';
import { type PublicStatus, publicStatus, type StatusReport } from '../core/status.ts';
import type { CollectionDriver } from './collection-driver.ts';
import type { ConsentKeeper } from './consent-keeper.ts';
import type { ExemptionKeeper } from './exemption-keeper.ts';
import type { PersonRequests } from './person-requests.ts';
import type { PolicyKeeper } from './policy-keeper.ts';
import type { Purger } from './purger.ts';
import type { UploadDriver } from './upload-driver.ts';
import type { Watchers } from './watchers.ts';
import { tellWithdrawal } from './withdrawal-handler.ts';

/** What of the daemon can be controlled. */
export interface Controlled {
  readonly clock: Clock;
  readonly collection: CollectionDriver;
  readonly consent: ConsentKeeper;
  readonly policy: PolicyKeeper;
  readonly upload: UploadDriver;
  readonly requests: PersonRequests;
  readonly exemptions: ExemptionKeeper;
  readonly purger: Purger;
  readonly watchers: Watchers;
  status(): StatusReport;
  consentChanged(): void;
  resume(by: Requester): void;
  reloadPolicy(): Promise<void>;
}

/** Without a policy a pause may last as long as the shortest limit a policy can set. */
const PAUSE_MAX_MS = 30 * 60_000;

/** A capture process is ready within a second; whoever asked for it is told how that went rather than "starting". */
const SETTLE_MS = 3000;

/** What the daemon does for each route of the control protocol. */
export function controlHandlers(daemon: Controlled): ControlHandlers {
  return {
    status: (peer) => statusFor(daemon, peer),
    watch: (emit, signal) => daemon.watchers.follow(emit, signal),
    pause: async ({ durationMs, reason }, peer) => {
      const { clock } = daemon;
      checkLimit(durationMs, daemon.policy.policy?.pause.maxMs ?? PAUSE_MAX_MS);
      const requester = requesterOf(peer);
      daemon.collection.send({
        type: 'pause',
        pause: startPause(requester, durationMs, reason ?? '', clock),
      });
      await daemon.collection.whenGone();
      const now = clock.now();
      const { state } = daemon.collection;
      // Others are told of their own pause only.
      const remainingMs = remainingPauseMs(state, now, requester === 'person' ? null : requester);
      return { until: new Date(now.wallMs + remainingMs).toISOString(), remainingMs };
    },
    resume: async (peer) => {
      daemon.resume(requesterOf(peer));
      await daemon.collection.whenSettled(SETTLE_MS);
      return statusFor(daemon, peer);
    },
    notice: () => daemon.consent.notice(),
    consent: () => daemon.consent.view,
    grant: async (request) => {
      daemon.consent.grant(request);
      daemon.consentChanged();
      await daemon.collection.whenSettled(SETTLE_MS);
      return daemon.consent.view;
    },
    revoke: async () => {
      try {
        tellWithdrawal(daemon.consent.receipts, daemon.requests);
      } finally {
        daemon.consent.revoke();
        daemon.consentChanged();
      }
      await daemon.collection.whenGone();
      return daemon.consent.view;
    },
    policy: () => ({ ...daemon.policy.mustHave(), problems: daemon.policy.problems }),
    reload: async () => {
      await daemon.reloadPolicy();
      return { ...daemon.policy.mustHave(), problems: daemon.policy.problems };
    },
    exemptions: () => exemptionsReply(daemon),
    exempt: async ({ scope, durationMs, reason }) => {
      const exemption = daemon.exemptions.request({ scope, durationMs, reason: reason ?? null });
      await daemon.collection.whenSettled(SETTLE_MS);
      return exemptionView(exemption, daemon.clock.now());
    },
    withdraw: async ({ id }) => {
      const exemption = daemon.exemptions.withdraw(id);
      await daemon.collection.whenSettled(SETTLE_MS);
      return exemptionView(exemption, daemon.clock.now());
    },
    refresh: async () => {
      daemon.exemptions.hurry();
      await daemon.requests.whenIdle();
      return exemptionsReply(daemon);
    },
    uploadNow: () => daemon.upload.uploadNow(),
    purgePlan: (request) => daemon.purger.plan(request),
    purge: (request) => daemon.purger.purge(request),
    round: (emit, signal) =>
      (daemon.requests.hasRound ? daemon.requests : daemon.upload).serveRound(emit, signal),
    roundResult: (result) => daemon.upload.takeResult(result),
    roundReply: (reply) =>
      reply.id === HEALTH_REPLY ? daemon.upload.takeHealthReply(reply) : daemon.requests.takeReply(reply),
    roundEnd: ({ of }) => (of === 'requests' ? daemon.requests : daemon.upload).endRound(),
  };
}

function exemptionsReply({ exemptions, clock }: Controlled): ExemptionsReply {
  const now = clock.now();
  return {
    exemptions: exemptions.list.map((exemption) => ({
      view: exemptionView(exemption, now),
      reason: exemption.reason,
    })),
  };
}

function statusFor(daemon: Controlled, { role }: Peer): StatusReport | PublicStatus {
  const report = daemon.status();
  return role === 'person' ? report : publicStatus(report);
}

function checkLimit(durationMs: number, maxMs: number): void {
  if (durationMs <= maxMs) return;
  const limit = formatDuration(maxMs);
  throw new TelemetryError(
    'limit',
    `a pause may last at most ${limit} here, ${formatDuration(durationMs)} was asked for`,
    {
      op: 'pause',
      hint: `telemetryctl pause ${limit}, and again when it ends`,
    },
  );
}
