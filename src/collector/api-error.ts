import type { FastifyReply } from 'fastify';

/** Error codes of the upload protocol, in `{ error: { code, message, hint } }`. Only ever gains codes. */
type ApiErrorCode =
  | 'bad-request'
  | 'bad-id'
  | 'digest-missing'
  | 'digest-malformed'
  | 'digest-mismatch'
  | 'bad-body'
  | 'conflict'
  | 'erased'
  | 'withdrawn'
  | 'not-usable'
  | 'token-missing'
  | 'reader-unknown'
  | 'too-large'
  | 'busy'
  | 'stopping'
  | 'storage-full'
  | 'not-found'
  | 'timeout'
  | 'signature-missing'
  | 'signature-malformed'
  | 'signature-wrong'
  | 'signature-time'
  | 'replayed'
  | 'key-unknown'
  | 'key-revoked'
  | 'other-device'
  | 'token-unknown'
  | 'token-used'
  | 'token-expired'
  | 'unavailable'
  | 'failed';

/** An answer that is not a success. `status` tells the client what to do: 400 and 409 never send again, 5xx later. */
export interface ApiError {
  readonly status: number;
  readonly code: ApiErrorCode;
  /** One line: what is wrong. */
  readonly message: string;
  /** One line: what to do about it. */
  readonly hint: string;
  /** `Retry-After`, for errors that pass. */
  readonly retryAfterSeconds?: number;
}

/** The body of an error reply. */
export function errorBody({ code, message, hint }: Pick<ApiError, 'code' | 'message' | 'hint'>): string {
  return JSON.stringify({ error: { code, message, hint } });
}

/** Answers with an error. */
export function sendError(reply: FastifyReply, error: ApiError): FastifyReply {
  if (error.retryAfterSeconds !== undefined) reply.header('retry-after', String(error.retryAfterSeconds));
  return reply.code(error.status).type('application/json; charset=utf-8').send(errorBody(error));
}
