import { doublingMs } from './backoff.ts';
import type { Instant } from './clock.ts';
import { isWithinHours, msToNextEdge, type WeeklyHours } from './hours.ts';
import type { Pause, Requester } from './pause.ts';

/** Collection states of the public contract, in order of precedence: the first that applies is shown. */
export const COLLECTION_NAMES = [
  'stopped',
  'awaiting-consent',
  'paused',
  'exempt',
  'locked',
  'blocked',
  'capturing',
] as const;
export type CollectionName = (typeof COLLECTION_NAMES)[number];

export type ConsentStanding = 'granted' | 'missing' | 'stale' | 'revoked';

/** Why collection is as it is, for people (`text`, `hint`) and scripts (`code`). */
export interface Reason {
  readonly code: string;
  readonly text: string;
  readonly hint: string;
}

/**
 * Everything the state depends on. `step` is the only thing that changes it.
 *
 * `child.generation` numbers the capture processes; a batch counts only from the current one. `cutoffMonoMs` is set
 * while a child is being stopped: what it still hands over counts up to that moment, and `-Infinity` means not at all.
 */
export interface CollectionState {
  readonly isStopping: boolean;
  readonly consent: ConsentStanding;
  /** `null`: no policy could be loaded. */
  readonly policy: { readonly hours: WeeklyHours | null; readonly refusal: Reason | null } | null;
  readonly pauses: readonly Pause[];
  /** Boot-time deadline of an exemption from everything; `null` when there is none. */
  readonly exemptUntilBootMs: number | null;
  readonly lock: 'unlocked' | 'locked' | 'unknown';
  /** Why nothing can be written to disk; `null` when it can. */
  readonly storage: Reason | null;
  readonly child: {
    readonly phase: 'none' | 'starting' | 'running' | 'stopping';
    readonly generation: number;
    readonly cutoffMonoMs: number | null;
  };
  readonly failure: (Reason & { readonly attempt: number; readonly retryAtBootMs: number }) | null;
  /** When the current child became ready, to tell a lasting recovery from a crash loop. */
  readonly readySinceBootMs: number;
  readonly restarts: number;
  readonly name: CollectionName;
  readonly sinceWallMs: number;
}

export type CollectionEvent =
  | { readonly type: 'consent'; readonly standing: ConsentStanding }
  | { readonly type: 'policy'; readonly policy: CollectionState['policy'] }
  | { readonly type: 'pause'; readonly pause: Pause }
  | { readonly type: 'resume'; readonly by: Requester }
  | { readonly type: 'exempt'; readonly untilBootMs: number | null }
  | { readonly type: 'lock'; readonly lock: CollectionState['lock'] }
  | { readonly type: 'storage'; readonly problem: Reason | null }
  | { readonly type: 'child-ready'; readonly generation: number }
  | { readonly type: 'child-exited'; readonly generation: number; readonly reason: Reason }
  /** How to capture has changed: the running process is replaced by one that knows. */
  | { readonly type: 'reconfigure' }
  /** Something outside may have mended the cause of a failure (a display appeared): try again now. */
  | { readonly type: 'retry' }
  | { readonly type: 'tick' }
  | { readonly type: 'stop' };

export type CollectionEffect =
  | { readonly type: 'start-child'; readonly generation: number }
  | { readonly type: 'stop-child'; readonly generation: number }
  | { readonly type: 'pauses-changed' }
  | { readonly type: 'state-changed'; readonly from: CollectionName; readonly to: CollectionName };

export interface CollectionStep {
  readonly state: CollectionState;
  readonly effects: readonly CollectionEffect[];
  /** Boot-time instant of the next `tick` that can change something; `null` when none can. */
  readonly wakeAtBootMs: number | null;
}

/**
 * Restarts wait 1 s, doubling to 30 s: a display that comes back is found again within half a minute, and a crash
 * loop costs at most two starts a minute.
 */
const RESTART = { baseMs: 1000, capMs: 30_000 };
/** A child that ran this long had recovered; its next failure starts from the shortest wait. */
const HEALTHY_AFTER_MS = 60_000;

export function initialCollection(now: Instant): CollectionState {
  return {
    isStopping: false,
    consent: 'missing',
    policy: null,
    pauses: [],
    exemptUntilBootMs: null,
    lock: 'unlocked',
    storage: null,
    child: { phase: 'none', generation: 0, cutoffMonoMs: null },
    failure: null,
    readySinceBootMs: 0,
    restarts: 0,
    name: 'blocked',
    sinceWallMs: now.wallMs,
  };
}

/** One step of collection. Pure: everything it needs is in its arguments. */
export function stepCollection(state: CollectionState, event: CollectionEvent, now: Instant): CollectionStep {
  const effects: CollectionEffect[] = [];
  let next = expire(apply(state, event, now), now);
  const wanted = obstacle(next, now) === null;
  const { child } = next;
  const isUnwanted = !wanted || event.type === 'reconfigure';
  if (isUnwanted && (child.phase === 'starting' || child.phase === 'running')) {
    // What was captured before this moment may still be handed over; after a revocation or a lock nothing may.
    const keeps = next.consent === 'granted' && next.lock === 'unlocked';
    next = { ...next, child: { ...child, phase: 'stopping', cutoffMonoMs: keeps ? now.monoMs : -Infinity } };
    effects.push({ type: 'stop-child', generation: child.generation });
  } else if (child.phase === 'stopping' && (next.consent !== 'granted' || next.lock !== 'unlocked')) {
    next = { ...next, child: { ...child, cutoffMonoMs: -Infinity } };
  } else if (wanted && child.phase === 'none' && (next.failure?.retryAtBootMs ?? 0) <= now.bootMs) {
    const generation = child.generation + 1;
    next = { ...next, child: { phase: 'starting', generation, cutoffMonoMs: null } };
    effects.push({ type: 'start-child', generation });
  }

  // After the child was told to stop: writing to disk must not make it late.
  if (next.pauses !== state.pauses) effects.push({ type: 'pauses-changed' });
  const name = nameOf(next, now);
  if (name !== state.name) {
    next = { ...next, name, sinceWallMs: now.wallMs };
    effects.push({ type: 'state-changed', from: state.name, to: name });
  }
  return { state: next, effects, wakeAtBootMs: wakeAt(next, now) };
}

function apply(state: CollectionState, event: CollectionEvent, now: Instant): CollectionState {
  switch (event.type) {
    case 'consent':
      return { ...state, consent: event.standing };
    case 'policy':
      return { ...state, policy: event.policy };
    case 'pause':
      return {
        ...state,
        pauses: [...state.pauses.filter((pause) => pause.requester !== event.pause.requester), event.pause],
      };
    case 'resume': {
      const pauses =
        event.by === 'person' ? [] : state.pauses.filter((pause) => pause.requester !== event.by);
      return pauses.length === state.pauses.length ? state : { ...state, pauses };
    }
    case 'exempt':
      return { ...state, exemptUntilBootMs: event.untilBootMs };
    case 'lock':
      return { ...state, lock: event.lock };
    case 'storage':
      return { ...state, storage: event.problem };
    case 'child-ready':
      if (event.generation !== state.child.generation || state.child.phase !== 'starting') return state;
      return { ...state, child: { ...state.child, phase: 'running' }, readySinceBootMs: now.bootMs };
    case 'child-exited':
      return event.generation === state.child.generation ? afterExit(state, event.reason, now) : state;
    case 'retry':
      return state.failure === null
        ? state
        : { ...state, failure: { ...state.failure, retryAtBootMs: now.bootMs } };
    case 'tick':
    case 'reconfigure':
      return state;
    case 'stop':
      return { ...state, isStopping: true };
  }
}

function afterExit(state: CollectionState, reason: Reason, now: Instant): CollectionState {
  const { phase, generation } = state.child;
  const child = { phase: 'none', generation, cutoffMonoMs: null } as const;
  if (phase === 'none') return state;
  if (phase === 'stopping') return { ...state, child, failure: null };
  const hadRecovered = phase === 'running' && now.bootMs - state.readySinceBootMs >= HEALTHY_AFTER_MS;
  const attempt = hadRecovered ? 1 : (state.failure?.attempt ?? 0) + 1;
  return {
    ...state,
    child,
    restarts: state.restarts + 1,
    failure: { ...reason, attempt, retryAtBootMs: now.bootMs + doublingMs(attempt, RESTART) },
  };
}

function expire(state: CollectionState, now: Instant): CollectionState {
  const pauses = state.pauses.filter((pause) => pause.untilBootMs > now.bootMs);
  const exemptUntilBootMs =
    state.exemptUntilBootMs !== null && state.exemptUntilBootMs <= now.bootMs
      ? null
      : state.exemptUntilBootMs;
  if (pauses.length === state.pauses.length && exemptUntilBootMs === state.exemptUntilBootMs) return state;
  return {
    ...state,
    pauses: pauses.length === state.pauses.length ? state.pauses : pauses,
    exemptUntilBootMs,
  };
}

/** What forbids capture now, by precedence; `null` when nothing does (whether or not a child runs yet). */
function obstacle(state: CollectionState, now: Instant): Exclude<CollectionName, 'capturing'> | null {
  if (state.isStopping) return 'stopped';
  // Without a policy there is no notice that anyone could agree to.
  if (state.consent === 'missing' && state.policy === null) return 'blocked';
  if (state.consent !== 'granted') return 'awaiting-consent';
  if (state.pauses.length > 0) return 'paused';
  if (state.exemptUntilBootMs !== null) return 'exempt';
  if (state.lock !== 'unlocked') return 'locked';
  if (state.policy === null || state.policy.refusal !== null || state.storage !== null) return 'blocked';
  return isWithinHours(state.policy.hours, now.wallMs) ? null : 'blocked';
}

function nameOf(state: CollectionState, now: Instant): CollectionName {
  return obstacle(state, now) ?? (state.child.phase === 'running' ? 'capturing' : 'blocked');
}

function wakeAt(state: CollectionState, now: Instant): number | null {
  const edge = msToNextEdge(state.policy?.hours ?? null, now.wallMs);
  const candidates = [
    ...state.pauses.map((pause) => pause.untilBootMs),
    ...(state.exemptUntilBootMs === null ? [] : [state.exemptUntilBootMs]),
    ...(state.child.phase === 'none' && state.failure !== null ? [state.failure.retryAtBootMs] : []),
    ...(edge === null ? [] : [now.bootMs + edge]),
  ].filter((at) => at > now.bootMs);
  return candidates.length === 0 ? null : Math.min(...candidates);
}

/**
 * How many of a batch's events may be recorded: those of the current child, in `capturing` or, while it is being
 * stopped, from before the moment that stopped it. `t` must be sorted.
 */
export function admittedCount(
  state: CollectionState,
  generation: number,
  batch: { readonly count: number; readonly t: Float64Array },
): number {
  if (generation !== state.child.generation) return 0;
  if (state.child.phase === 'running') return batch.count;
  if (state.child.phase !== 'stopping' || state.child.cutoffMonoMs === null) return 0;
  let count = batch.count;
  while (count > 0 && (batch.t[count - 1] ?? 0) >= state.child.cutoffMonoMs) count--;
  return count;
}

/** How long pauses still stand, 0 without one: all of them, or those of one requester. */
export function remainingPauseMs(state: CollectionState, now: Instant, of: Requester | null = null): number {
  const pauses = state.pauses.filter(({ requester }) => of === null || requester === of);
  return Math.max(0, ...pauses.map((pause) => pause.untilBootMs - now.bootMs));
}

/** Every reason for the present state, the deciding one first. Empty while capturing. */
export function reasonsFor(state: CollectionState, now: Instant): Reason[] {
  const reasons: Reason[] = [];
  if (state.isStopping) reasons.push(REASONS.stopping);
  const hasNotice = state.policy !== null || state.consent !== 'missing';
  if (!hasNotice) reasons.push(REASONS.noPolicy);
  else if (state.consent !== 'granted') reasons.push(REASONS[state.consent]);
  for (const pause of state.pauses) {
    const who = pause.requester === 'person' ? 'you' : `another account (${pause.requester})`;
    reasons.push({ code: 'paused', text: `Paused by ${who}.`, hint: 'telemetryctl resume' });
  }
  if (state.exemptUntilBootMs !== null) reasons.push(REASONS.exempt);
  if (state.lock !== 'unlocked') reasons.push(REASONS[state.lock]);
  if (state.policy === null) {
    if (hasNotice) reasons.push(REASONS.noPolicy);
  } else if (state.policy.refusal !== null) reasons.push(state.policy.refusal);
  else if (!isWithinHours(state.policy.hours, now.wallMs)) reasons.push(REASONS.outsideHours);
  if (state.storage !== null) reasons.push(state.storage);
  if (reasons.length > 0 || state.child.phase === 'running') return reasons;
  if (state.failure !== null) {
    const { code, text, hint } = state.failure;
    return [{ code, text, hint }];
  }
  return [REASONS.starting];
}

const REASONS = {
  stopping: { code: 'stopping', text: 'The daemon is stopping.', hint: 'telemetryd run' },
  missing: {
    code: 'consent-missing',
    text: 'Nobody has agreed to collection yet; nothing is captured.',
    hint: 'telemetryctl notice, then telemetryctl consent grant',
  },
  stale: {
    code: 'consent-stale',
    text: 'The policy now takes more, or goes elsewhere, than was agreed to; nothing is captured.',
    hint: 'telemetryctl notice shows what changed; telemetryctl consent grant agrees to it',
  },
  revoked: {
    code: 'consent-revoked',
    text: 'Consent was revoked; nothing is captured.',
    hint: 'telemetryctl consent grant, only if you want it again',
  },
  exempt: {
    code: 'exempt',
    text: 'An approved exemption stands; nothing is captured.',
    hint: 'telemetryctl status shows until when',
  },
  locked: { code: 'locked', text: 'The session is locked.', hint: 'unlock the session' },
  unknown: {
    code: 'lock-unknown',
    text: 'Whether the session is locked cannot be told, so nothing is captured.',
    hint: 'loginctl list-sessions shows whether logind answers; it goes on by itself when it does',
  },
  noPolicy: {
    code: 'no-policy',
    text: 'No valid policy could be read, and there is no earlier one.',
    hint: 'telemetryd check-policy FILE shows what is wrong with it',
  },
  outsideHours: {
    code: 'outside-capture-hours',
    text: 'The policy collects only at certain hours, and not now.',
    hint: 'telemetryctl policy show prints the hours',
  },
  starting: { code: 'starting', text: 'The capture process is starting.', hint: 'wait a moment' },
} as const satisfies Record<string, Reason>;
