import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../core/clock.ts';
import { parseScope } from '../core/exemption-scope.ts';
import { type ApiError, sendError } from './api-error.ts';
import type { ExemptionAsk, ExemptionBook, ExemptionRecord } from './exemption-book.ts';
import { readJsonObject } from './json-body.ts';
import { parseUuid } from './segment-key.ts';

/**
 * `POST /v1/devices/:device/exemptions` with `{ request, scope, askedAt, until, reason?, withdrawn? }`: asks for an
 * exemption or, sent again, after it; with `withdrawn` it is taken back. Answers
 * `{ request, state, by, reason, decidedAt }`.
 */
export const EXEMPTIONS_PATH = '/v1/devices/:device/exemptions';

/** First line of every age file (https://age-encryption.org/v1, "Header"). */
const AGE_FIRST_LINE = 'age-encryption.org/v1\n';
const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** Answers one request. */
export async function handleExemption(
  request: FastifyRequest,
  reply: FastifyReply,
  book: ExemptionBook,
  log: Log,
): Promise<FastifyReply> {
  const body = await readJsonObject(request.raw);
  if (body === null) return sendError(reply, bad('the body is no JSON object of at most 64 KiB'));
  const ask = parseAsk(request.params as { readonly device: string }, body);
  if ('status' in ask) return sendError(reply, ask);
  const isWithdrawn = body['withdrawn'] === true;
  const outcome = await (isWithdrawn ? book.withdraw(ask) : book.submit(ask));
  if (outcome.kind === 'conflict') {
    return sendError(reply, {
      status: 409,
      code: 'conflict',
      message: 'another request is kept under this id',
      hint: 'ids are never used twice',
    });
  }
  const { record } = outcome;
  log.info({ exemption: record.id, device: record.device, state: record.state }, 'exemption asked for');
  return reply.code(outcome.kind === 'kept' ? 201 : 200).send(answerOf(record));
}

function answerOf({ id, state, decidedBy, decisionReason, decidedAtMs }: ExemptionRecord) {
  return {
    request: id,
    state,
    by: decidedBy,
    reason: decisionReason,
    decidedAt: decidedAtMs === null ? null : new Date(decidedAtMs).toISOString(),
  };
}

function parseAsk(
  params: { readonly device: string },
  body: Readonly<Record<string, unknown>>,
): ExemptionAsk | ApiError {
  const device = parseUuid(params.device);
  const id = parseUuid(text(body['request']));
  if (device === undefined || id === undefined) {
    return { ...bad(`the ${device === undefined ? 'device' : 'request'} is not a UUID`), code: 'bad-id' };
  }
  const scope = text(body['scope']);
  if (parseScope(scope) === undefined) return bad('"scope" is not all, app:NAME or hours:SPEC');
  const askedAtMs = timeOf(body['askedAt']);
  const untilMs = timeOf(body['until']);
  if (askedAtMs === undefined || untilMs === undefined)
    return bad('"askedAt" or "until" is not an ISO time in UTC');
  const reason = body['reason'] ?? null;
  if (reason === null) return { id, device, scope, askedAtMs, untilMs, reason };
  const file = Buffer.from(text(reason), 'base64');
  // A reason in the open is for nobody here: not to keep it is the least that can be done.
  if (!file.toString('latin1').startsWith(AGE_FIRST_LINE))
    return bad('"reason" is not an age file in base64');
  return { id, device, scope, askedAtMs, untilMs, reason: file };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function timeOf(value: unknown): number | undefined {
  const ms = ISO_TIME.test(text(value)) ? Date.parse(text(value)) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

function bad(message: string): ApiError {
  return { status: 400, code: 'bad-request', message, hint: `POST ${EXEMPTIONS_PATH} as telemetryd does` };
}
