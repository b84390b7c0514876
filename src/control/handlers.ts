import type { ExemptionView } from '../core/exemption-view.ts';
import type { LoadedPolicy } from '../core/policy.ts';
import type { PurgeReceipt } from '../core/purge.ts';
import type { PublicStatus, StatusReport } from '../core/status.ts';
import type { Peer } from './peer.ts';
import type {
  ConsentReply,
  ExemptionsReply,
  ExemptRequest,
  GrantRequest,
  NoticeReply,
  PauseReply,
  PauseRequest,
  PlanRequest,
  PurgePlan,
  PurgeRequest,
  RequestReply,
  RoundEnd,
  RoundMessage,
  SegmentResult,
  UploadNowReply,
  WithdrawRequest,
} from './protocol.ts';

type Reply<T> = T | Promise<T>;

/**
 * What the daemon does for each route of {@link import('./protocol.ts').ROUTES}, by the route's name. Requests have
 * been checked for shape, and their sender for the right to send them, when they arrive here. A thrown `TelemetryError` becomes `{ error }` with a fitting status;
 * anything else becomes a 500 that says nothing of the inside, and is logged.
 *
 * `watch` and `round` are streams: each `emit` is one line to the client, the stream ends when the returned promise
 * settles, and `signal` is aborted when the client has gone or the server stops. A client that does not read is cut
 * off when {@link MAX_UNREAD_BYTES} wait for it, which aborts `signal` too; emitting after that does nothing.
 */
export interface ControlHandlers {
  status(peer: Peer): Reply<StatusReport | PublicStatus>;
  watch(emit: (report: StatusReport) => void, signal: AbortSignal): Promise<void>;
  pause(request: PauseRequest, peer: Peer): Reply<PauseReply>;
  resume(peer: Peer): Reply<StatusReport | PublicStatus>;
  notice(): Reply<NoticeReply>;
  consent(): Reply<ConsentReply>;
  grant(request: GrantRequest): Reply<ConsentReply>;
  revoke(): Reply<ConsentReply>;
  policy(): Reply<LoadedPolicy>;
  reload(): Reply<LoadedPolicy>;
  exemptions(): Reply<ExemptionsReply>;
  exempt(request: ExemptRequest): Reply<ExemptionView>;
  withdraw(request: WithdrawRequest): Reply<ExemptionView>;
  refresh(): Reply<ExemptionsReply>;
  uploadNow(): Reply<UploadNowReply>;
  purgePlan(request: PlanRequest): Reply<PurgePlan>;
  purge(request: PurgeRequest): Reply<PurgeReceipt>;
  round(emit: (message: RoundMessage) => void, signal: AbortSignal): Promise<void>;
  roundResult(result: SegmentResult): Reply<void>;
  roundReply(reply: RequestReply): Reply<void>;
  roundEnd(end: RoundEnd): Reply<void>;
}

/** A status report is some 4 KB: 1 MiB is minutes of changes that nobody reads. */
export const MAX_UNREAD_BYTES = 1024 * 1024;
