import type { Clock, Instant } from './clock.ts';
import type { StandingExemption } from './collection.ts';
import { type Deadline, isOver, refreshDeadline, restoreDeadline, startDeadline } from './deadline.ts';
import { parseScope, touchesHours } from './exemption-scope.ts';
import { msToNextEdge } from './hours.ts';

/**
 * `queued`: the collector does not have it yet. `pending`: it has, and nobody has decided. `expired`: its time is over,
 * or nobody ever decided.
 */
export type ExemptionState = 'queued' | 'pending' | 'approved' | 'denied' | 'withdrawn' | 'expired';

/** What the deciders answered. */
export interface ExemptionDecision {
  readonly verdict: 'approved' | 'denied';
  /** Who decided, as the collector's operators name themselves. */
  readonly by: string;
  /** In the decider's words; `""` when none were given. */
  readonly reason: string;
  /** By this device's clock, when the decision arrived. */
  readonly atWallMs: number;
}

/**
 * The recordings that an undecided request is about: from the moment of asking until the decision, or the end of what was
 * asked for. Numbers of segments say it whatever becomes of the clock; times say it should the numbering begin anew.
 */
export interface RecordingWindow {
  readonly fromSequence: number;
  readonly fromWallMs: number;
  /** `null` while it is open. */
  readonly to: { readonly sequence: number; readonly wallMs: number } | null;
}

/** A person's request not to be captured, and what became of it. `step` is the only thing that changes it. */
export interface Exemption {
  /** A UUID of version 7. */
  readonly id: string;
  readonly state: ExemptionState;
  /** As {@link parseScope} reads it. */
  readonly scope: string;
  /** The collector's address: whose people decide. */
  readonly destination: string;
  readonly askedWallMs: number;
  readonly end: Deadline;
  /** Why, encrypted for the deciders and its author, an age file in base64; `null` when none was given, or erased. */
  readonly reason: string | null;
  readonly window: RecordingWindow;
  readonly decision: ExemptionDecision | null;
  /** After a denial: when what was withheld may leave. */
  readonly release: Deadline | null;
  /** Approved, and what was recorded in the window is still to be deleted. */
  readonly isClearing: boolean;
  /** Withdrawn, and the collector is still to be told. */
  readonly isWithdrawalDue: boolean;
}

/** A fresh request. */
export interface ExemptionRequest {
  readonly id: string;
  readonly scope: string;
  readonly destination: string;
  readonly durationMs: number;
  readonly reason: string | null;
}

export type ExemptionEvent =
  /** The collector has the request, or knows of its withdrawal. */
  | { readonly type: 'delivered'; readonly what: 'request' | 'withdrawal' }
  | { readonly type: 'decided'; readonly decision: Omit<ExemptionDecision, 'atWallMs'> }
  | { readonly type: 'withdraw' }
  /** What was recorded in the window is gone. */
  | { readonly type: 'cleared' }
  | { readonly type: 'tick' };

/** When something happens: the clocks, and the least number that a segment begun from now on can have. */
export interface Moment {
  readonly clock: Clock;
  readonly nextSequence: number;
}

const DAY_MS = 86_400_000;
/** How long an exemption may be asked for: what is shorter is a pause, what is longer a revoked consent. */
export const EXEMPTION_MS = { least: 60_000, most: 366 * DAY_MS };
/** So long the person has after a denial before anything of that time leaves: to read it, to purge, to revoke. */
export const RELEASE_AFTER_MS = DAY_MS;
/** A reason serves the decision and perhaps a question about it; a month later it serves nobody. */
export const ERASE_REASON_AFTER_MS = 30 * DAY_MS;
/** Whoever has not decided a month after the end of what was asked for will not. */
const UNDECIDED_AFTER_MS = 30 * DAY_MS;
const FORGET_AFTER_MS = 365 * DAY_MS;

export function requestExemption(request: ExemptionRequest, { clock, nextSequence }: Moment): Exemption {
  const { wallMs } = clock.now();
  const { id, scope, destination, durationMs, reason } = request;
  return {
    id,
    state: 'queued',
    scope,
    destination,
    askedWallMs: wallMs,
    end: startDeadline(durationMs, clock),
    reason,
    window: { fromSequence: nextSequence, fromWallMs: wallMs, to: null },
    decision: null,
    release: null,
    isClearing: false,
    isWithdrawalDue: false,
  };
}

/** One step. What does not apply in a state changes nothing: a decision counts only for a request that is undecided. */
export function stepExemption(exemption: Exemption, event: ExemptionEvent, moment: Moment): Exemption {
  return lapse(apply(exemption, event, moment), moment);
}

function apply(exemption: Exemption, event: ExemptionEvent, moment: Moment): Exemption {
  const { state } = exemption;
  switch (event.type) {
    case 'delivered':
      if (event.what === 'withdrawal') return { ...exemption, isWithdrawalDue: false };
      return state === 'queued' ? { ...exemption, state: 'pending' } : exemption;
    case 'decided':
      return isUndecided(exemption) ? decide(exemption, event.decision, moment) : exemption;
    case 'withdraw':
      if (!canWithdraw(exemption)) return exemption;
      return { ...closeWindow(exemption, moment), state: 'withdrawn', reason: null, isWithdrawalDue: true };
    case 'cleared':
      return { ...exemption, isClearing: false };
    case 'tick':
      return exemption;
  }
}

function decide(
  exemption: Exemption,
  decision: Omit<ExemptionDecision, 'atWallMs'>,
  moment: Moment,
): Exemption {
  const closed = closeWindow(exemption, moment);
  const decided = { ...closed, decision: { ...decision, atWallMs: moment.clock.now().wallMs } };
  if (decision.verdict === 'approved') return { ...decided, state: 'approved', isClearing: true };
  return { ...decided, state: 'denied', release: startDeadline(RELEASE_AFTER_MS, moment.clock) };
}

/** What the passing of time changes. */
function lapse(exemption: Exemption, moment: Moment): Exemption {
  const now = moment.clock.now();
  let next = exemption;
  if (isOver(next.end, now)) {
    if (next.state === 'approved') next = { ...next, state: 'expired' };
    if (isUndecided(next)) next = closeWindow(next, moment);
    if (isUndecided(next) && next.end.untilBootMs + UNDECIDED_AFTER_MS <= now.bootMs) {
      next = { ...next, state: 'expired', reason: null };
    }
  }
  return next.reason !== null && (eraseAtWallMs(next) ?? Infinity) <= now.wallMs
    ? { ...next, reason: null }
    : next;
}

function eraseAtWallMs({ decision, reason }: Exemption): number | null {
  return reason === null || decision === null ? null : decision.atWallMs + ERASE_REASON_AFTER_MS;
}

function closeWindow(exemption: Exemption, { clock, nextSequence }: Moment): Exemption {
  if (exemption.window.to !== null) return exemption;
  const to = { sequence: nextSequence, wallMs: clock.now().wallMs };
  return { ...exemption, window: { ...exemption.window, to } };
}

/** Queued or pending: it can still be decided. */
export function isUndecided({ state }: Exemption): boolean {
  return state === 'queued' || state === 'pending';
}

/** Whether there is something to take back. */
export function canWithdraw(exemption: Exemption): boolean {
  return isUndecided(exemption) || exemption.state === 'approved';
}

/** Nobody needs to be told of it any more: it has been over for a year, and nothing depends on it. */
export function isForgettable(exemption: Exemption, { wallMs }: Instant): boolean {
  const { end, decision, isClearing, isWithdrawalDue } = exemption;
  if (canWithdraw(exemption) || isClearing || isWithdrawalDue) return false;
  return Math.max(end.untilWallMs, decision?.atWallMs ?? 0) + FORGET_AFTER_MS <= wallMs;
}

/** What it keeps from being captured; `null` for nothing, or for one application only. */
export function standingExemption(
  exemption: Exemption,
  whilePending: 'withhold' | 'pause',
  now: Instant,
): StandingExemption | null {
  const scope = parseScope(exemption.scope);
  const isPending = isUndecided(exemption);
  const isInForce = exemption.state === 'approved' || (isPending && whilePending === 'pause');
  if (scope === undefined || scope.kind === 'app' || !isInForce || isOver(exemption.end, now)) return null;
  const hours = scope.kind === 'hours' ? scope.hours : null;
  return { untilBootMs: exemption.end.untilBootMs, hours, isPending };
}

/**
 * The application that it keeps from being captured; `null` for none. From the moment of asking: what is recorded
 * cannot be told apart by application later, so there would be nothing to withhold.
 */
export function exemptApp(exemption: Exemption, now: Instant): string | null {
  const scope = parseScope(exemption.scope);
  const isInForce = exemption.state === 'approved' || isUndecided(exemption);
  return scope?.kind === 'app' && isInForce && !isOver(exemption.end, now) ? scope.name : null;
}

/** A segment, by what is known of it without opening it. */
export interface RecordedSpan {
  readonly sequence: number;
  readonly startWallMs: number;
  readonly lastEventWallMs: number;
}

/** Whether a segment has something of the time and scope of an undecided request; in doubt it has. */
export function coversRecording({ scope: text, window }: Exemption, span: RecordedSpan): boolean {
  const { fromSequence, fromWallMs, to } = window;
  const scope = parseScope(text);
  if (scope === undefined || scope.kind === 'app') return false;
  const isByNumber = span.sequence >= fromSequence && (to === null || span.sequence < to.sequence);
  const isByTime = span.lastEventWallMs >= fromWallMs && (to === null || span.startWallMs < to.wallMs);
  if (!isByNumber && !isByTime) return false;
  return scope.kind === 'all' || touchesHours(scope.hours, span.startWallMs, span.lastEventWallMs);
}

/**
 * What is to become of the recordings it covers: `keep` them here unsent, `delete` them, or `free`. What nobody ever
 * decided about stays here until it is too old to keep.
 */
export function treatmentOf(exemption: Exemption, now: Instant): 'free' | 'keep' | 'delete' {
  if (exemption.isClearing) return 'delete';
  if (isUndecided(exemption)) return 'keep';
  if (exemption.release !== null) return isOver(exemption.release, now) ? 'free' : 'keep';
  return exemption.state === 'expired' && exemption.decision === null ? 'keep' : 'free';
}

/** Whether the window of an undecided request closes with this event: segments must end there, too. */
export function closesWindow(exemption: Exemption, event: ExemptionEvent, now: Instant): boolean {
  if (exemption.window.to !== null || !isUndecided(exemption)) return false;
  return event.type === 'decided' || event.type === 'withdraw' || isOver(exemption.end, now);
}

/** Boot-time instant of the next `tick` that can change something; `null` when none can. */
export function wakeAtBootMs(exemption: Exemption, now: Instant): number | null {
  const { state, end, release, window } = exemption;
  const eraseAt = eraseAtWallMs(exemption);
  const scope = parseScope(exemption.scope);
  // Segments begin and end with the hours, so that none has more of them than it must.
  const edge = scope?.kind === 'hours' && window.to === null ? msToNextEdge(scope.hours, now.wallMs) : null;
  const candidates = [
    ...(state === 'approved' || window.to === null ? [end.untilBootMs] : []),
    ...(isUndecided(exemption) ? [end.untilBootMs + UNDECIDED_AFTER_MS] : []),
    ...(release === null ? [] : [release.untilBootMs]),
    ...(eraseAt === null ? [] : [now.bootMs + eraseAt - now.wallMs]),
    ...(edge === null ? [] : [now.bootMs + edge]),
  ].filter((at) => at > now.bootMs);
  return candidates.length === 0 ? null : Math.min(...candidates);
}

/** With its deadlines as of `now`, to be written to disk. */
export function refreshExemption(exemption: Exemption, now: Instant): Exemption {
  const { end, release } = exemption;
  return {
    ...exemption,
    end: refreshDeadline(end, now),
    release: release === null ? null : refreshDeadline(release, now),
  };
}

/** Read back from disk, on this boot's clock. It lasts no longer than asked, and releases nothing before its time. */
export function restoreExemption(saved: Exemption, clock: Clock): Exemption {
  const { end, release } = saved;
  return {
    ...saved,
    end: restoreDeadline(end, clock),
    release: release === null ? null : restoreDeadline(release, clock, 'later'),
  };
}
