import type { ConsentStanding } from '../core/collection.ts';
import type { SegmentAbout } from '../core/destination.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { ExemptionView } from '../core/exemption-view.ts';
import type { Blocker } from '../core/gate.ts';
import type { Health } from '../core/health.ts';
import type { LoadedPolicy } from '../core/policy.ts';
import type { PurgedSegment, PurgeReceipt, PurgeScope } from '../core/purge.ts';
import type { ReplyProof } from '../core/reply-proof.ts';
import type { PublicStatus, StatusReport } from '../core/status.ts';

/**
 * The control protocol: HTTP with JSON over a Unix socket. Requests and replies of each route; errors are
 * `{ error: ErrorBody }` with a 4xx or 5xx status. Bodies of requests are at most 64 KiB.
 *
 * Who may do what is decided by the peer's credentials (`peer.ts`): any account of the machine may ask for the status,
 * of which it gets {@link PublicStatus} and no more, pause, and end a pause of its own; root may also have the policy
 * read again; the uploader's routes are the service's; everything is the person's.
 *
 * | route | request | reply |
 * |---|---|---|
 * | `GET /v1/status` | | {@link StatusReport}; {@link PublicStatus} for others |
 * | `GET /v1/watch` | | newline-delimited {@link StatusReport}, one at once and one after each change, at most one a second |
 * | `POST /v1/pause` | {@link PauseRequest} | {@link PauseReply}, once the capture process is gone |
 * | `POST /v1/resume` | `{}` | as for `status` |
 * | `GET /v1/notice` | | {@link NoticeReply} |
 * | `GET /v1/consent` | | {@link ConsentReply} |
 * | `POST /v1/consent/grant` | {@link GrantRequest} | {@link ConsentReply} |
 * | `POST /v1/consent/revoke` | `{}` | {@link ConsentReply}, once the capture process is gone |
 * | `GET /v1/policy` | | {@link LoadedPolicy} |
 * | `POST /v1/policy/reload` | `{}` | {@link LoadedPolicy} |
 * | `POST /v1/upload/now` | `{}` | {@link UploadNowReply} |
 * | `GET /v1/exemptions` | | {@link ExemptionsReply} |
 * | `POST /v1/exemptions/request` | {@link ExemptRequest} | {@link ExemptionView} |
 * | `POST /v1/exemptions/withdraw` | {@link WithdrawRequest} | {@link ExemptionView} |
 * | `POST /v1/exemptions/refresh` | `{}` | {@link ExemptionsReply}, once the collector was asked |
 * | `POST /v1/purge/plan` | {@link PlanRequest} | {@link PurgePlan} |
 * | `POST /v1/purge` | {@link PurgeRequest} | {@link PurgeReceipt}, once all of it is gone |
 * | `GET /v1/round` | | newline-delimited {@link RoundMessage}; for the uploader |
 * | `POST /v1/round/result` | {@link SegmentResult} | `{}` |
 * | `POST /v1/round/reply` | {@link RequestReply} | `{}` |
 * | `POST /v1/round/end` | {@link RoundEnd} | `{}`, once what was not sent is out of the uploader's sight |
 */
export const ROUTES = {
  status: '/v1/status',
  watch: '/v1/watch',
  pause: '/v1/pause',
  resume: '/v1/resume',
  notice: '/v1/notice',
  consent: '/v1/consent',
  grant: '/v1/consent/grant',
  revoke: '/v1/consent/revoke',
  policy: '/v1/policy',
  reload: '/v1/policy/reload',
  uploadNow: '/v1/upload/now',
  exemptions: '/v1/exemptions',
  exempt: '/v1/exemptions/request',
  withdraw: '/v1/exemptions/withdraw',
  refresh: '/v1/exemptions/refresh',
  purgePlan: '/v1/purge/plan',
  purge: '/v1/purge',
  round: '/v1/round',
  roundResult: '/v1/round/result',
  roundReply: '/v1/round/reply',
  roundEnd: '/v1/round/end',
} as const;

/** What the `GET` routes answer, by the route's name. */
export interface GetReplies {
  readonly status: StatusReport | PublicStatus;
  readonly notice: NoticeReply;
  readonly consent: ConsentReply;
  readonly policy: LoadedPolicy;
  readonly exemptions: ExemptionsReply;
}

/** What the `POST` routes take and answer, by the route's name. */
export interface PostCalls {
  readonly pause: { readonly request: PauseRequest; readonly reply: PauseReply };
  readonly resume: { readonly request: EmptyBody; readonly reply: StatusReport | PublicStatus };
  readonly grant: { readonly request: GrantRequest; readonly reply: ConsentReply };
  readonly revoke: { readonly request: EmptyBody; readonly reply: ConsentReply };
  readonly reload: { readonly request: EmptyBody; readonly reply: LoadedPolicy };
  readonly uploadNow: { readonly request: EmptyBody; readonly reply: UploadNowReply };
  readonly exempt: { readonly request: ExemptRequest; readonly reply: ExemptionView };
  readonly withdraw: { readonly request: WithdrawRequest; readonly reply: ExemptionView };
  readonly refresh: { readonly request: EmptyBody; readonly reply: ExemptionsReply };
  readonly purgePlan: { readonly request: PlanRequest; readonly reply: PurgePlan };
  readonly purge: { readonly request: PurgeRequest; readonly reply: PurgeReceipt };
  readonly roundResult: { readonly request: SegmentResult; readonly reply: EmptyBody };
  readonly roundReply: { readonly request: RequestReply; readonly reply: EmptyBody };
  readonly roundEnd: { readonly request: RoundEnd; readonly reply: EmptyBody };
}

/** One line of each stream, by the route's name. */
export interface StreamMessages {
  readonly watch: StatusReport;
  readonly round: RoundMessage;
}

/** `{}`. */
type EmptyBody = Readonly<Record<string, never>>;

export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

export interface PauseRequest {
  readonly durationMs: number;
  readonly reason?: string;
}

export interface PauseReply {
  /** ISO 8601 UTC. */
  readonly until: string;
  readonly remainingMs: number;
}

/** The notice of the policy in force. `id` is a hash of what it says; consent is given to an id. */
export interface NoticeReply {
  readonly id: string;
  /** Plain text, 80 columns. */
  readonly text: string;
  /** The same part by part, but for the controls. */
  readonly parts: readonly { readonly label: string; readonly text: string }[];
}

export interface GrantRequest {
  /** The notice that was shown; refused when it is not the one in force. */
  readonly noticeId: string;
  readonly via: 'terminal' | 'script';
  /** The public half of the person's own key (`age1…`): what is recorded under this consent they can open. */
  readonly ownerRecipient: string;
}

export interface ConsentReply {
  readonly state: ConsentStanding;
  /** The notice in force now. */
  readonly noticeId: string;
  readonly receipt: {
    readonly id: string;
    readonly noticeId: string;
    readonly grantedAt: string;
    readonly revokedAt: string | null;
    readonly via: 'terminal' | 'script';
    readonly uid: number;
    readonly destination: string;
  } | null;
  /** What widened since the receipt, in words; empty unless stale. */
  readonly changes: readonly string[];
}

export interface UploadNowReply {
  readonly started: boolean;
  readonly blockers: readonly Blocker[];
}

/** The person's exemptions, the oldest first, each with its reason as it is kept: an age file in base64, or `null`. */
export interface ExemptionsReply {
  readonly exemptions: readonly { readonly view: ExemptionView; readonly reason: string | null }[];
}

export interface ExemptRequest {
  /** `all`, `app:NAME` or `hours:SPEC`. */
  readonly scope: string;
  /** From now on; a minute at least, a year at most. */
  readonly durationMs: number;
  /** An age file in base64, for those who decide; left out when no reason is given. */
  readonly reason?: string;
}

export interface WithdrawRequest {
  readonly id: string;
}

/** What is to be purged; asked first what that would mean. */
export interface PlanRequest {
  readonly scope: PurgeScope;
}

/** What a purge would act on. */
export interface PurgePlan {
  /** To be given back with {@link PurgeRequest}. */
  readonly id: string;
  /** There is more in memory and in the journal that is being written. */
  readonly hasOpenSegment: boolean;
  readonly segments: readonly PlannedSegment[];
}

/** One segment that holds, or may hold, something of it. */
export interface PlannedSegment {
  readonly id: string;
  readonly stage: PurgedSegment['stage'];
  readonly bytes: number;
  readonly events: number | null;
  /** All of it lies in that time. */
  readonly isWhole: boolean;
  /** Where it was sent, or may have been; `null`: it never left. */
  readonly destination: string | null;
  /** The file, when only the person's own key can cut it; else `null`. */
  readonly path: string | null;
  /** The id for what is left of it. */
  readonly newId: string;
}

export interface PurgeRequest {
  /** The plan's. */
  readonly id: string;
  readonly scope: PurgeScope;
  /** What telemetryctl made of files that only the person's own key can cut. */
  readonly cuts: readonly CutReport[];
}

/** The daemon checks `result`: a `CutResult` of the spool. */
export interface CutReport {
  readonly segment: string;
  readonly result: unknown;
}

/** Work for one uploader round: files stand in `outbox/`. */
export interface Round {
  readonly url: string;
  readonly device: string;
  /** What requests are signed with; absent where this device is not enrolled. */
  readonly deviceKeyFile?: string;
  readonly outboxDir: string;
  /** Hash of the ledger's last entry; the collector keeps it beside each segment. */
  readonly ledgerHead: string;
  readonly rateBytesPerSecond: number;
  /** The round may charge at most this many bytes, both directions. */
  readonly budgetBytes: number;
  readonly segments: readonly RoundSegment[];
  /** What a person asks of the collector, sent first; each is posted to its path below the address. */
  readonly requests: readonly { readonly id: string; readonly path: string; readonly body: string }[];
  /** What the collector is told of the program, last of all; absent when it knows. `body` is `health` as it is posted. */
  readonly health?: { readonly health: Health; readonly path: string; readonly body: string };
}

/** Names the reply to `health` among those to requests, whose ids are UUIDs. */
export const HEALTH_REPLY = 'health';

/** The uploader gave account of all that it sent in its round, and goes. */
export interface RoundEnd {
  /** Which kind of round it was. */
  readonly of: 'segments' | 'requests';
}

/** A file of the outbox, and what the collector is told of it. */
export interface RoundSegment {
  readonly id: string;
  readonly file: string;
  readonly sizeBytes: number;
  readonly about?: SegmentAbout;
}

/** What the daemon tells the uploader. End of the stream means `abort`. */
export type RoundMessage =
  | { readonly type: 'round'; readonly round: Round }
  /** There is nothing to do. */
  | { readonly type: 'none' }
  | { readonly type: 'abort'; readonly reason: string };

/**
 * What became of one segment. `stored`: the collector echoed the digest. `refused`: it will never take this file
 * (400, 422, 409, 410), the file goes to quarantine, or with a signed 410 is deleted. `retry`: later. `unauthorised` (401, 403) and `too-large`
 * (413) stop everything until someone acts. `aborted`: the daemon closed the gate meanwhile; its bytes are charged and
 * that is all, the collector is not to blame.
 */
export interface SegmentResult {
  readonly id: string;
  readonly outcome: 'stored' | 'refused' | 'retry' | 'unauthorised' | 'too-large' | 'aborted';
  /** Hex SHA-256 of the file as sent; `""` when it was not read. */
  readonly sha256: string;
  /** HTTP status, 0 without one. */
  readonly status: number;
  readonly detail: string;
  /** Bytes to charge for this attempt, both directions, failures included. */
  readonly chargedBytes: number;
  /** `Retry-After` in milliseconds, `null` without one. */
  readonly retryAfterMs: number | null;
  /** How long the collector will keep it from now on, by its own clock; absent when it did not say. */
  readonly keptForMs?: number;
  /** Whose word it is; absent unless it was signed. */
  readonly proof?: ReplyProof;
}

/** What the collector said to a request of the person's, or to `health`. */
export interface RequestReply {
  readonly id: string;
  /** HTTP status, 0 without one. */
  readonly status: number;
  /** The body of the reply, at most {@link MAX_REQUEST_REPLY_CHARACTERS}; `""` without one. */
  readonly body: string;
  readonly detail: string;
  /** Bytes to charge for this attempt, both directions. */
  readonly chargedBytes: number;
  /** `Retry-After` in milliseconds, `null` without one. */
  readonly retryAfterMs: number | null;
  /** Whose word it is; absent unless it was signed. */
  readonly proof?: ReplyProof;
}

/** JSON in JSON takes up to twice its size, and a request to the daemon has 64 KiB. */
export const MAX_REQUEST_REPLY_CHARACTERS = 30_000;
