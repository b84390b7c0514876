import { TelemetryError } from '../core/errors.ts';
import { EXEMPTION_MS } from '../core/exemption.ts';
import { parseScope } from '../core/exemption-scope.ts';
import type { PurgeScope } from '../core/purge.ts';
import { isRecipient } from '../core/recipient.ts';
import type { ReplyProof } from '../core/reply-proof.ts';
import {
  type ExemptRequest,
  type GrantRequest,
  MAX_REQUEST_REPLY_CHARACTERS,
  type PauseRequest,
  type PlanRequest,
  type PurgeRequest,
  type RequestReply,
  type RoundEnd,
  type SegmentResult,
  type WithdrawRequest,
} from './protocol.ts';

/** By hand rather than by a schema library, which would cost the daemon 8 MB for three small shapes. */
type Fields = Readonly<Record<string, unknown>>;

/** A reason for a pause is a note to oneself, not a document. */
const MAX_REASON_CHARACTERS = 500;
/** A thousand characters encrypted for twenty recipients. */
const MAX_SEALED_REASON_CHARACTERS = 16_000;
/** `age-encryption.org/v1` in base64 (https://age-encryption.org/v1, "Header"). */
const AGE_FIRST_LINE = 'YWdlLWVuY3J5cHRpb24ub3JnL3Yx';
/** Beyond this a number of milliseconds is no date any more (ECMA-262, time values). */
const MAX_MS = 8.64e15;
const OUTCOMES = ['stored', 'refused', 'retry', 'unauthorised', 'too-large', 'aborted'] as const;

/** Checks the body of `POST /v1/pause`; throws a usage error that names the field. */
export function parsePauseRequest(body: unknown): PauseRequest {
  const fields = objectOf(body, ['durationMs', 'reason']);
  const durationMs = wholeNumber(fields, 'durationMs', 1);
  if (fields['reason'] === undefined) return { durationMs };
  return { durationMs, reason: text(fields, 'reason', MAX_REASON_CHARACTERS) };
}

/** Checks the body of `POST /v1/consent/grant`. */
export function parseGrantRequest(body: unknown): GrantRequest {
  const fields = objectOf(body, ['noticeId', 'via', 'ownerRecipient']);
  const noticeId = text(fields, 'noticeId', 200);
  if (noticeId === '') throw invalid('noticeId', 'must not be empty');
  const ownerRecipient = text(fields, 'ownerRecipient', 100);
  if (!isRecipient(ownerRecipient)) throw invalid('ownerRecipient', 'must be an age recipient, age1…');
  return { noticeId, via: oneOf(fields, 'via', ['terminal', 'script']), ownerRecipient };
}

/** Checks the body of `POST /v1/exemptions/request`. */
export function parseExemptRequest(body: unknown): ExemptRequest {
  const fields = objectOf(body, ['scope', 'durationMs', 'reason']);
  const scope = text(fields, 'scope', 300);
  if (parseScope(scope) === undefined) throw invalid('scope', 'must be all, app:NAME or hours:SPEC');
  const durationMs = wholeNumber(fields, 'durationMs', EXEMPTION_MS.least);
  if (durationMs > EXEMPTION_MS.most) throw invalid('durationMs', 'must be a year at most');
  if (fields['reason'] === undefined) return { scope, durationMs };
  const reason = text(fields, 'reason', MAX_SEALED_REASON_CHARACTERS);
  // A reason in the open would be kept, and sent, in the open.
  if (!reason.startsWith(AGE_FIRST_LINE)) throw invalid('reason', 'must be an age file in base64');
  return { scope, durationMs, reason };
}

/** Checks the body of `POST /v1/exemptions/withdraw`. */
export function parseWithdrawRequest(body: unknown): WithdrawRequest {
  return { id: text(objectOf(body, ['id']), 'id', 100) };
}

/** Checks the body of `POST /v1/round/end`. */
export function parseRoundEnd(body: unknown): RoundEnd {
  return { of: oneOf(objectOf(body, ['of']), 'of', ['segments', 'requests']) };
}

/** Checks the body of `POST /v1/round/result`. */
export function parseSegmentResult(body: unknown): SegmentResult {
  const fields = objectOf(body, [
    'id',
    'outcome',
    'sha256',
    'status',
    'detail',
    'chargedBytes',
    'retryAfterMs',
    'keptForMs',
    'proof',
  ]);
  const sha256 = text(fields, 'sha256', 64);
  if (!/^(?:[0-9a-f]{64})?$/.test(sha256)) throw invalid('sha256', 'must be 64 hexadecimal digits or empty');
  return {
    id: text(fields, 'id', 200),
    outcome: oneOf(fields, 'outcome', OUTCOMES),
    sha256,
    status: wholeNumber(fields, 'status', 0),
    detail: text(fields, 'detail', 1000),
    chargedBytes: wholeNumber(fields, 'chargedBytes', 0),
    retryAfterMs: fields['retryAfterMs'] === null ? null : wholeNumber(fields, 'retryAfterMs', 0),
    ...(fields['keptForMs'] === undefined ? {} : { keptForMs: wholeNumber(fields, 'keptForMs', 0) }),
    ...proofOf(fields),
  };
}

/** Digests and signatures have under 100 characters, the list of what is signed some 250. */
const MAX_PROOF_CHARACTERS = 500;

function proofOf(fields: Fields): { readonly proof?: ReplyProof } {
  if (fields['proof'] === undefined) return {};
  const proof = objectOf(fields['proof'], ['nonce', 'contentDigest', 'signatureInput', 'signature']);
  const part = (name: keyof ReplyProof): string => text(proof, name, MAX_PROOF_CHARACTERS);
  return {
    proof: {
      nonce: part('nonce'),
      contentDigest: part('contentDigest'),
      signatureInput: part('signatureInput'),
      signature: part('signature'),
    },
  };
}

/** Checks the body of `POST /v1/purge/plan`. */
export function parsePlanRequest(body: unknown): PlanRequest {
  return { scope: scopeOf(objectOf(body, ['scope'])) };
}

/** A request has at most 64 KiB, and a segment is no more than minutes. */
const MAX_CUTS = 200;

/** Checks the body of `POST /v1/purge`. */
export function parsePurgeRequest(body: unknown): PurgeRequest {
  const fields = objectOf(body, ['id', 'scope', 'cuts']);
  const id = text(fields, 'id', 36);
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) throw invalid('id', 'must be the plan’s');
  const cuts = fields['cuts'];
  if (!Array.isArray(cuts) || cuts.length > MAX_CUTS) throw invalid('cuts', `must be at most ${MAX_CUTS}`);
  return {
    id,
    scope: scopeOf(fields),
    cuts: cuts.map((cut: unknown) => {
      const parts = objectOf(cut, ['segment', 'result']);
      return { segment: text(parts, 'segment', 36), result: parts['result'] };
    }),
  };
}

function scopeOf(fields: Fields): PurgeScope {
  const scope = objectOf(fields['scope'], ['kind', 'fromWallMs']);
  const kind = oneOf(scope, 'kind', ['last', 'unsent', 'sent', 'all']);
  return kind === 'last' ? { kind, fromWallMs: wholeNumber(scope, 'fromWallMs', 0) } : { kind };
}

/** Checks the body of `POST /v1/round/reply`. */
export function parseRequestReply(body: unknown): RequestReply {
  const fields = objectOf(body, ['id', 'status', 'body', 'detail', 'chargedBytes', 'retryAfterMs', 'proof']);
  return {
    id: text(fields, 'id', 200),
    status: wholeNumber(fields, 'status', 0),
    body: text(fields, 'body', MAX_REQUEST_REPLY_CHARACTERS),
    detail: text(fields, 'detail', 1000),
    chargedBytes: wholeNumber(fields, 'chargedBytes', 0),
    retryAfterMs: fields['retryAfterMs'] === null ? null : wholeNumber(fields, 'retryAfterMs', 0),
    ...proofOf(fields),
  };
}

/** Checks the body of a request that takes nothing: `{}` or no body at all. */
export function parseEmptyRequest(body: unknown): void {
  if (body !== undefined) objectOf(body, []);
}

function objectOf(body: unknown, known: readonly string[]): Fields {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new TelemetryError('usage', 'The body of the request must be a JSON object.');
  }
  const unknown = Object.keys(body).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const takes =
      known.length === 0 ? 'this request takes no fields' : `this request takes ${known.join(', ')}`;
    throw invalid(unknown.slice(0, 40), `is not known; ${takes}`);
  }
  return { ...body };
}

function wholeNumber(fields: Fields, name: string, least: number): number {
  const value = fields[name];
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= MAX_MS) return value;
  throw invalid(name, `must be a whole number, at least ${least}`);
}

function text(fields: Fields, name: string, maxLength: number): string {
  const value = fields[name];
  if (typeof value === 'string' && value.length <= maxLength) return value;
  throw invalid(name, `must be text of at most ${maxLength} characters`);
}

function oneOf<Word extends string>(fields: Fields, name: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === fields[name]);
  if (found !== undefined) return found;
  throw invalid(name, `must be one of ${words.join(', ')}`);
}

function invalid(name: string, what: string): TelemetryError {
  return new TelemetryError('usage', `${JSON.stringify(name)} ${what}.`, { op: 'read the request' });
}
