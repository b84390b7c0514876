import { TelemetryError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { decisionProblem, MAX_NAME_CHARACTERS, MAX_REASON_CHARACTERS } from './decision-check.ts';
import type {
  AuditEntry,
  Decision,
  ExemptionBook,
  ExemptionRecord,
  ExemptionState,
} from './exemption-book.ts';
import { parseUuid } from './segment-key.ts';

/** What the commands of `exemptions` stand on. */
export interface ExemptionDesk {
  readonly book: ExemptionBook;
  readonly write: (text: string) => void;
  readonly isJson: boolean;
}

const STATES: readonly ExemptionState[] = ['pending', 'approved', 'denied', 'withdrawn'];

/** `exemptions list`: every request, or those in one state. */
export async function listExemptions(state: string | undefined, desk: ExemptionDesk): Promise<void> {
  const wanted = STATES.find((known) => known === state);
  if (state !== undefined && wanted === undefined)
    throw usage(`"${state}" is not a state`, `--state ${STATES.join(' | ')}`);
  const records = await withBook(desk, (book) => book.list(wanted === undefined ? {} : { state: wanted }));
  if (desk.isJson) {
    const exemptions = records.map(jsonOf);
    desk.write(`${JSON.stringify({ schema: 1, exemptions }, null, 2)}\n`);
    return;
  }
  if (records.length === 0) desk.write('no requests\n');
  else desk.write(`${HEADING}\n${records.map(lineOf).join('\n')}\n`);
}

/** `exemptions show`: one request, what was done to it, and its reason when `openReason` can open it. */
export async function showExemption(
  id: string,
  openReason: ((reason: Uint8Array) => Promise<string>) | null,
  desk: ExemptionDesk,
): Promise<void> {
  const { record, audit } = await withBook(desk, async (book) => {
    const found = await book.find(parseId(id));
    return { record: found ?? unknown(id), audit: await book.audit(parseId(id)) };
  });
  const reason = record.reason === null || openReason === null ? null : await openReason(record.reason);
  if (!desk.isJson) {
    desk.write(pageOf(record, reason, audit));
    return;
  }
  const trail = audit.map(({ atMs, action, by }) => ({ at: iso(atMs), action, by }));
  desk.write(`${JSON.stringify({ schema: 1, ...jsonOf(record), reason, audit: trail }, null, 2)}\n`);
}

/** `exemptions approve` and `exemptions deny`. A request is decided once. */
export async function decideExemption(id: string, decision: Decision, desk: ExemptionDesk): Promise<void> {
  const checked = { ...decision, by: decision.by.trim(), reason: decision.reason.trim() };
  const problem = decisionProblem(checked);
  if (problem !== null) throw PROBLEMS[problem]();
  const outcome = await withBook(desk, (book) => book.decide(parseId(id), checked));
  if (outcome.kind === 'unknown') unknown(id);
  else if (outcome.kind === 'not-pending') throw decidedAlready(outcome.record);
  else if (desk.isJson) desk.write(`${JSON.stringify({ schema: 1, ...jsonOf(outcome.record) }, null, 2)}\n`);
  else
    desk.write(`${outcome.record.id} is ${outcome.record.state}; its device learns it when it asks next.\n`);
}

async function withBook<Result>(
  { book }: ExemptionDesk,
  act: (book: ExemptionBook) => Promise<Result>,
): Promise<Result> {
  try {
    await book.start();
  } catch (cause) {
    if (cause instanceof TelemetryError) throw cause;
    throw new TelemetryError('failed', 'cannot open the exemption book', {
      op: 'open exemption book',
      hint: '--data DIR of the collector, as the user that runs it',
      cause,
    });
  }
  try {
    return await act(book);
  } finally {
    await book.stop();
  }
}

function parseId(text: string): string {
  const id = parseUuid(text);
  if (id !== undefined) return id;
  throw usage(`"${text}" is not the id of a request`, 'telemetry-collector exemptions list');
}

function unknown(id: string): never {
  throw new TelemetryError('failed', `there is no request ${id}`, {
    op: 'find the request',
    hint: 'telemetry-collector exemptions list',
  });
}

function decidedAlready({ id, state, decidedAtMs, decidedBy }: ExemptionRecord): TelemetryError {
  const by = decidedBy === '' ? '' : ` by ${decidedBy}`;
  const at = decidedAtMs === null ? '' : ` ${minute(decidedAtMs)}`;
  return new TelemetryError('failed', `the request is ${state}${by}${at}; nothing was changed`, {
    op: 'decide',
    hint: `telemetry-collector exemptions show ${id}`,
  });
}

const PROBLEMS = {
  by: () => usage(`--by ${needs(MAX_NAME_CHARACTERS)}`, 'a name: --by "Ada Lovelace"'),
  reason: () => usage(`--reason ${needs(MAX_REASON_CHARACTERS)}`, '--reason "…", shorter and on one line'),
  'no-reason': () => usage('a denial needs a reason, which the person is told', '--reason "…"'),
} as const;

function needs(characters: number): string {
  return `needs text of at most ${characters} characters on one line`;
}

function usage(message: string, hint: string): TelemetryError {
  return new TelemetryError('usage', message, { op: 'exemptions', hint });
}

function jsonOf(record: ExemptionRecord) {
  const { id, device, state, scope, decidedAtMs, decidedBy, decisionReason } = record;
  return {
    id,
    device,
    state,
    scope,
    askedAt: iso(record.askedAtMs),
    until: iso(record.untilMs),
    receivedAt: iso(record.receivedAtMs),
    hasReason: record.reason !== null,
    decidedAt: decidedAtMs === null ? null : iso(decidedAtMs),
    decidedBy,
    decisionReason,
  };
}

const HEADING = `${'request'.padEnd(36)}  ${'state'.padEnd(9)}  ${'until (UTC)'.padEnd(16)}  scope`;

function lineOf({ id, state, untilMs, scope }: ExemptionRecord): string {
  return `${id}  ${state.padEnd(9)}  ${minute(untilMs)}  ${printable(scope)}`;
}

function pageOf(record: ExemptionRecord, reason: string | null, audit: readonly AuditEntry[]): string {
  const { id, device, state, scope, decisionReason } = record;
  const why =
    reason === null
      ? record.reason === null
        ? 'none, or erased'
        : 'encrypted; --identity FILE opens it'
      : printable(reason);
  const rows = [
    ['request', id],
    ['device', device],
    ['state', state],
    ['scope', printable(scope)],
    ['from', `${minute(record.askedAtMs)} UTC`],
    ['until', `${minute(record.untilMs)} UTC`],
    ['reason', why],
    ...(decisionReason === '' ? [] : [['answer', printable(decisionReason)]]),
    ...audit.map(({ atMs, action, by }) => [action, `${minute(atMs)} UTC by ${printable(by)}`]),
  ];
  return `${rows.map(([label = '', words = '']) => `${label.padEnd(14)}${words}`).join('\n')}\n`;
}

function minute(ms: number): string {
  return iso(ms).slice(0, 16).replace('T', ' ');
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
