import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Log } from '../core/clock.ts';
import { parseScope } from '../core/exemption-scope.ts';
import { type ApiError, sendError } from './api-error.ts';
import { deviceParams, type exemptionAnswer, exemptionAsk } from './api-schemas.ts';
import type { ExemptionAsk, ExemptionBook, ExemptionRecord } from './exemption-book.ts';
import { readJsonObject } from './json-body.ts';

/**
 * `POST /v1/devices/:device/exemptions` with `{ request, scope, askedAt, until, reason?, withdrawn? }`: asks for an
 * exemption or, sent again, after it; with `withdrawn` it is taken back. Answers
 * `{ request, state, by, reason, decidedAt }`.
 */
export const EXEMPTIONS_PATH = '/v1/devices/:device/exemptions';

/** First line of every age file (https://age-encryption.org/v1, "Header"). */
const AGE_FIRST_LINE = 'age-encryption.org/v1\n';

/** Answers one request. */
export async function handleExemption(
  request: FastifyRequest,
  reply: FastifyReply,
  book: ExemptionBook,
  log: Log,
): Promise<FastifyReply> {
  const body = await readJsonObject(request.raw);
  if (body === null) return sendError(reply, bad('the body is no JSON object of at most 64 KiB'));
  const ask = parseAsk(request.params, body);
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

function answerOf(record: ExemptionRecord): z.infer<typeof exemptionAnswer> {
  const { id, state, decidedBy, decisionReason, decidedAtMs } = record;
  return {
    request: id,
    state,
    by: decidedBy,
    reason: decisionReason,
    decidedAt: decidedAtMs === null ? null : new Date(decidedAtMs).toISOString(),
  };
}

function parseAsk(params: unknown, body: Readonly<Record<string, unknown>>): ExemptionAsk | ApiError {
  const path = deviceParams.safeParse(params);
  if (!path.success) return { ...bad('the device is not a UUID'), code: 'bad-id' };
  const ask = exemptionAsk.safeParse(body);
  if (!ask.success) return wrongField(ask.error.issues.map(({ path: [field] }) => String(field)));
  const { request: id, scope, askedAt, until, reason = null } = ask.data;
  if (parseScope(scope) === undefined) return wrongField(['scope']);
  const times = { askedAtMs: Date.parse(askedAt), untilMs: Date.parse(until) };
  const { device } = path.data;
  if (reason === null) return { id, device, scope, ...times, reason };
  const file = Buffer.from(reason, 'base64');
  // A reason in the open is for nobody here: not to keep it is the least that can be done.
  return file.toString('latin1').startsWith(AGE_FIRST_LINE)
    ? { id, device, scope, ...times, reason: file }
    : wrongField(['reason']);
}

function wrongField(fields: readonly string[]): ApiError {
  if (fields.includes('request')) return { ...bad('the request is not a UUID'), code: 'bad-id' };
  if (fields.includes('scope')) return bad('"scope" is not all, app:NAME or hours:SPEC');
  if (fields.includes('reason')) return bad('"reason" is not an age file in base64');
  return bad('"askedAt" or "until" is not an ISO time in UTC');
}

function bad(message: string): ApiError {
  return { status: 400, code: 'bad-request', message, hint: `POST ${EXEMPTIONS_PATH} as telemetryd does` };
}
