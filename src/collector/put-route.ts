import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Log } from '../core/clock.ts';
import { type ApiError, sendError } from './api-error.ts';
import { type receipt, segmentParams } from './api-schemas.ts';
import type { CollectorMetrics } from './collector-metrics.ts';
import { formatContentDigest, parseContentDigest } from './content-digest.ts';
import { type PutOutcome, type PutRequest, putSegment, type SegmentKeeper } from './put-segment.ts';
import { discardRest } from './refused-body.ts';
import { readFacts } from './segment-facts.ts';

/** `PUT /v1/devices/:device/segments/:segment`. */
export const PUT_SEGMENT_PATH = '/v1/devices/:device/segments/:segment';

/** Answers one PUT. */
export async function handlePut(
  request: FastifyRequest,
  reply: FastifyReply,
  keeper: SegmentKeeper,
  { log, metrics }: { readonly log: Log; readonly metrics: CollectorMetrics },
): Promise<FastifyReply> {
  const wanted = readRequest(request, reply);
  const outcome = 'status' in wanted ? wanted : await putSegment(wanted, keeper);
  discardRest(request.raw, keeper.maxSegmentBytes);
  if ('status' in outcome) return sendError(reply, outcome);
  metrics.segment(outcome);
  if (outcome.kind !== 'created' && outcome.kind !== 'present') {
    log.info({ outcome: outcome.kind, ...(request.params as object) }, 'segment refused');
    return sendError(reply, errorOf(outcome, keeper.maxSegmentBytes));
  }
  const { device, segment, sizeBytes, sha256, expiresAtMs } = outcome.record;
  const expires = expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString();
  log.info({ outcome: outcome.kind, device, segment, sizeBytes }, 'segment kept');
  return reply
    .code(outcome.kind === 'created' ? 201 : 200)
    .header('content-digest', formatContentDigest(sha256))
    .send({ device, segment, sizeBytes, sha256, expires } satisfies z.infer<typeof receipt>);
}

function readRequest(request: FastifyRequest, reply: FastifyReply): PutRequest | ApiError {
  const params = segmentParams.safeParse(request.params);
  if (!params.success) {
    const [which = ''] = params.error.issues[0]?.path ?? [];
    return bad(
      'bad-id',
      `the ${String(which)} in the path is not a UUID`,
      'PUT /v1/devices/UUID/segments/UUID',
    );
  }
  // RFC 9110 section 14.5: a part sent as if it were the whole must be refused.
  if (request.headers['content-range'] !== undefined || request.headers['content-encoding'] !== undefined) {
    return bad('bad-request', 'parts and encodings are not taken', 'send the sealed file as it is');
  }
  const digest = parseContentDigest(request.headers['content-digest']?.toString());
  if (digest.kind === 'missing') {
    return bad('digest-missing', 'Content-Digest with sha-256 is required', DIGEST_HINT);
  }
  if (digest.kind === 'malformed') {
    return bad('digest-malformed', 'Content-Digest is not a dictionary of byte sequences', DIGEST_HINT);
  }
  const length = request.headers['content-length'];
  return {
    key: params.data,
    sha256: digest.sha256,
    declaredBytes: length === undefined ? null : Number(length),
    ledgerHead: ledgerHeadOf(request),
    told: readFacts(request.query),
    openBody: () => openBody(request.raw, reply),
  };
}

/**
 * Kept for whoever wants to check a device's ledger later. One of another form comes from a later version, and is no
 * reason to refuse what it came with.
 */
function ledgerHeadOf({ headers }: FastifyRequest): string | null {
  const head = headers['telemetry-ledger-head'];
  return typeof head === 'string' && /^[0-9a-f]{64}$/.test(head) ? head : null;
}

const DIGEST_HINT = 'send Content-Digest: sha-256=:BASE64: (RFC 9530) of the body';

/** `Expect: 100-continue` is answered only here, so that a refusal costs the sender no bytes. */
function openBody(raw: IncomingMessage, reply: FastifyReply): AsyncIterable<Uint8Array> {
  if (raw.headers.expect !== undefined) reply.raw.writeContinue();
  // Without this option a body that is given up would take the connection, and so the reply, with it.
  return raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
}

function errorOf(outcome: Exclude<PutOutcome, { kind: 'created' | 'present' }>, maxBytes: number): ApiError {
  switch (outcome.kind) {
    case 'conflict':
      return {
        status: 409,
        code: 'conflict',
        message: `another content is kept under this id: ${formatContentDigest(outcome.record.sha256)}`,
        hint: 'ids are never used twice; keep this file aside',
      };
    case 'erased':
      return {
        status: 410,
        code: 'erased',
        message: 'this segment was erased because its person asked for it, or because its time was over',
        hint: 'do not send it again',
      };
    case 'withdrawn':
      return {
        status: 410,
        code: 'withdrawn',
        message: 'the consent that this segment was recorded under was taken back',
        hint: 'delete it',
      };
    case 'busy':
      return {
        status: 429,
        code: 'busy',
        message: 'too many segments are arriving at once',
        hint: 'send it again after Retry-After',
        retryAfterSeconds: outcome.retryAfterSeconds,
      };
    case 'too-large':
      return {
        status: 413,
        code: 'too-large',
        message: `a segment has at most ${maxBytes} bytes here`,
        hint: 'raise --max-segment-bytes if segments are meant to be larger',
      };
    case 'wrong-digest':
      return bad(
        'digest-mismatch',
        `what arrived has ${formatContentDigest(outcome.sha256)}`,
        'nothing was kept; compare the file with its digest',
      );
    case 'empty':
      return bad('bad-body', 'the body is empty', 'send the sealed file as the body');
    case 'wrong-length':
    case 'aborted':
      return bad(
        'bad-body',
        'the body is not as long as it was said to be',
        'nothing was kept; send it again',
      );
  }
}

function bad(code: ApiError['code'], message: string, hint: string): ApiError {
  return { status: 400, code, message, hint };
}
