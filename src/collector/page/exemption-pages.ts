import type { Log } from '../../core/clock.ts';
import { decisionProblem, MAX_REASON_CHARACTERS } from '../decision-check.ts';
import type { ExemptionBook, ExemptionRecord } from '../exemption-book.ts';
import { parseUuid } from '../segment-key.ts';
import type { Viewer } from './document.ts';
import { exemptionPage, exemptionsPage, type RefusedForm } from './exemption-views.ts';

/** What deciding needs. */
export interface DecisionDesk {
  readonly exemptions: ExemptionBook;
  readonly log: Log;
}

/** What a form came to: `page` says why nothing was decided, `null` that there is no such request. */
export type FormOutcome =
  | { readonly kind: 'decided'; readonly id: string }
  | { readonly kind: 'refused'; readonly status: number; readonly page: string | null };

/** One screen of what is over; the command line has all of it. */
const SHOWN_DECIDED = 50;

/** The page of all requests. */
export async function showExemptions(viewer: Viewer, { exemptions }: DecisionDesk): Promise<string> {
  const all = await exemptions.list();
  const isOver = ({ state }: ExemptionRecord): boolean => state !== 'pending';
  const decided = all
    .filter(isOver)
    .sort((a, b) => (b.decidedAtMs ?? 0) - (a.decidedAtMs ?? 0))
    .slice(0, SHOWN_DECIDED);
  return exemptionsPage(
    all.filter((record) => !isOver(record)),
    decided,
    viewer,
  );
}

/** The page of one request; `null` when there is none. */
export async function showExemption(
  text: string,
  viewer: Viewer,
  { exemptions }: DecisionDesk,
  more: { readonly isJustDecided?: boolean; readonly refused?: RefusedForm } = {},
): Promise<string | null> {
  const id = parseUuid(text);
  const record = id === undefined ? null : await exemptions.find(id);
  if (record === null) return null;
  const isJustDecided = more.isJustDecided === true && record.state !== 'pending';
  return exemptionPage(record, await exemptions.audit(record.id), viewer, { ...more, isJustDecided });
}

/** Decides a request as the form says, in the name of whoever signed in. */
export async function decide(
  text: string,
  form: URLSearchParams,
  viewer: Viewer,
  desk: DecisionDesk,
): Promise<FormOutcome> {
  const id = parseUuid(text);
  const verdict = (['approved', 'denied'] as const).find((word) => word === form.get('verdict'));
  const reason = (form.get('reason') ?? '').trim();
  const refuse = async (status: number, problem: string): Promise<FormOutcome> => {
    const page = await showExemption(text, viewer, desk, { refused: { reason, problem } });
    return { kind: 'refused', status, page };
  };
  if (id === undefined) return { kind: 'refused', status: 404, page: null };
  if (verdict === undefined) return refuse(422, 'Approve or deny: the form said neither.');
  const decision = { verdict, by: viewer.name, reason };
  const problem = decisionProblem(decision);
  if (problem !== null) return refuse(422, PROBLEMS[problem]);
  const outcome = await desk.exemptions.decide(id, decision);
  if (outcome.kind === 'decided') {
    desk.log.info({ exemption: id, verdict, by: viewer.name }, 'exemption decided on the page');
    return { kind: 'decided', id };
  }
  if (outcome.kind === 'unknown') return { kind: 'refused', status: 404, page: null };
  return refuse(409, `It is ${outcome.record.state} already; nothing was changed.`);
}

const PROBLEMS = {
  by: 'The name that you signed in with cannot be recorded; have another token made.',
  reason: `The answer needs to be one line of at most ${MAX_REASON_CHARACTERS} characters.`,
  'no-reason': 'A denial needs an answer: the person is told why.',
} as const;
