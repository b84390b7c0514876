import type { ExemptionView } from '../../core/exemption-view.ts';
import { printable } from '../../core/printable.ts';
import { row } from './layout.ts';
import { localTime, moment } from './moments.ts';

/** What each state means for the person. */
const STATES: Readonly<Record<ExemptionView['state'], string>> = {
  queued: 'Asked for; the collector does not have it yet.',
  pending: 'Asked for; not decided yet.',
  approved: 'Approved: nothing of this is captured.',
  denied: 'Denied.',
  withdrawn: 'Taken back.',
  expired: 'Over.',
};

/** After a decision or an end, status tells of it for so long. */
const NEWS_MS = 7 * 86_400_000;

/** Whether status tells of it: while it stands or is asked for, and for a week after it was decided or ended. */
export function isOfInterest({ state, until, decidedAt, releaseAt }: ExemptionView, nowMs: number): boolean {
  if (state === 'withdrawn') return false;
  if (state !== 'denied' && state !== 'expired') return true;
  const lastMs = state === 'denied' ? Date.parse(decidedAt ?? until) : Date.parse(until);
  return releaseAt !== null || nowMs - lastMs < NEWS_MS;
}

/** An exemption in a sentence or two, for `status` and `why`. */
export function exemptionWords(view: ExemptionView, nowMs: number): string {
  const { state, scope, until, decidedBy, decisionReason, releaseAt } = view;
  const by = decidedBy === '' ? '' : ` by ${printable(decidedBy)}`;
  const answer = decisionReason === '' ? '' : `: ${printable(decisionReason)}`;
  const head = `from ${scopeWords(scope)} until ${localTime(until, nowMs)}: ${state}`;
  if (state === 'approved') return `${head}${by}${answer}`;
  if (state !== 'denied') return head;
  const release =
    releaseAt === null
      ? ''
      : `; what was recorded meanwhile may leave from ${localTime(releaseAt, nowMs)} on`;
  return `${head}${by}${answer}${release}`;
}

/** One line for a list: id, state, until when, from what. */
export function exemptionLine({ id, state, until, scope }: ExemptionView, nowMs: number): string {
  return `${id}  ${state.padEnd(9)}  until ${localTime(until, nowMs).padEnd(16)}  ${printable(scope)}`;
}

/** An exemption in words; `reason` as far as it could be read. */
export function exemptionPage(view: ExemptionView, reason: string | null, nowMs: number): string {
  const { id, state, scope, askedAt, until, decidedAt, decidedBy, decisionReason, releaseAt } = view;
  const by = decidedBy === '' ? '' : ` by ${decidedBy}`;
  return `${[
    STATES[state],
    '',
    row('Id', id),
    row('From', scopeWords(scope)),
    row('Asked', moment(askedAt, nowMs)),
    row('Until', moment(until, nowMs)),
    ...(reason === null ? [] : [row('Reason', reason)]),
    ...(decidedAt === null ? [] : [row('Decided', `${moment(decidedAt, nowMs)}${by}`)]),
    ...(decisionReason === '' ? [] : [row('Answer', decisionReason)]),
    row('Data', dataWords(view)),
    ...(releaseAt === null ? [] : [row('', `It may leave from ${moment(releaseAt, nowMs)} on.`)]),
  ].join('\n')}\n`;
}

/** What becomes of what is recorded meanwhile. */
function dataWords({ state, scope, decidedAt, releaseAt }: ExemptionView): string {
  if (scope.startsWith('app:')) {
    return state === 'denied' || state === 'withdrawn' || state === 'expired'
      ? 'nothing of it was recorded before that'
      : 'nothing of it is recorded';
  }
  switch (state) {
    case 'queued':
    case 'pending':
      return 'what is recorded meanwhile stays on this device, unsent: it is deleted when this is approved, and may leave a day after a denial';
    case 'approved':
      return 'what was recorded since you asked is deleted';
    case 'denied':
      return releaseAt === null
        ? 'what was recorded since you asked may leave'
        : 'what was recorded since you asked stays here for a day: telemetryctl consent revoke still keeps it here';
    case 'withdrawn':
      return 'what was recorded since you asked may leave, unless it was deleted before';
    case 'expired':
      return decidedAt === null
        ? 'nobody decided: what was recorded meanwhile never leaves this device'
        : 'nothing of that time was kept';
  }
}

/** A scope in words. */
function scopeWords(scope: string): string {
  if (scope === 'all') return 'everything';
  const value = printable(scope.slice(scope.indexOf(':') + 1));
  return scope.startsWith('app:') ? `the application ${value}` : `everything at ${value}`;
}
