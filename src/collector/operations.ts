import type { z } from 'zod';
import * as schemas from './api-schemas.ts';
import { DELETIONS_PATH } from './deletions-route.ts';
import { DEVICE_HEALTH_PATH } from './device-health-route.ts';
import { ENROL_PATH } from './enrol-route.ts';
import { EXEMPTIONS_PATH } from './exemption-route.ts';
import { INDEX_PATH } from './index-lines.ts';
import { PUT_SEGMENT_PATH } from './put-route.ts';
import { ERASED_PATH } from './reader-routes.ts';
import { WITHDRAWALS_PATH } from './withdrawals-route.ts';

/** One thing that can be asked of the collector over HTTP. */
export interface Operation {
  readonly method: 'GET' | 'PUT' | 'POST';
  /** With fastify's `:name` for what varies. */
  readonly path: string;
  readonly summary: string;
  readonly params: z.ZodObject | null;
  /** `bytes`: a sealed file as it is. */
  readonly body: z.ZodType | 'bytes' | null;
  /** By status; `null`: text that is described elsewhere. */
  readonly replies: Readonly<
    Record<
      number,
      { readonly what: string; readonly schema: z.ZodType | 'bytes' | null; readonly isLines?: true }
    >
  >;
  /** Statuses of answers that are errors. */
  readonly errors: readonly number[];
  /** Signed by enrolled devices. */
  readonly isSigned: boolean;
  /** Asked with the token of a reader. */
  readonly isForReaders?: true;
  /** Behind a question mark. */
  readonly query?: z.ZodObject;
}

const SIGNED_ERRORS = [401, 403, 429, 503];

/**
 * Every route of the server: they are made from this list, and so is its OpenAPI document. Pages for people are not in
 * it.
 */
export const OPERATIONS = {
  putSegment: {
    method: 'PUT',
    path: PUT_SEGMENT_PATH,
    summary: 'Keeps a sealed segment. Its sender may forget its copy once the digest is echoed.',
    params: schemas.segmentParams,
    body: 'bytes',
    replies: {
      200: { what: 'It was kept before, the same bytes.', schema: schemas.receipt },
      201: { what: 'It is kept, durably.', schema: schemas.receipt },
    },
    errors: [400, ...SIGNED_ERRORS, 408, 409, 410, 413, 500, 507],
    isSigned: true,
    query: schemas.segmentQuery,
  },
  readSegment: {
    method: 'GET',
    path: PUT_SEGMENT_PATH,
    summary: 'Gives a sealed segment that may be used. It is in the access log before its first byte.',
    params: schemas.segmentParams,
    body: null,
    replies: { 200: { what: 'The file as it was sent, with its Content-Digest.', schema: 'bytes' } },
    errors: [400, 401, 404, 410, 429, 500, 503],
    isSigned: false,
    isForReaders: true,
  },
  listUsable: {
    method: 'GET',
    path: INDEX_PATH,
    summary: 'Lists what may be used now, a line of JSON each; without the line end it was cut short.',
    params: null,
    body: null,
    replies: { 200: { what: 'The lines.', schema: schemas.indexLine, isLines: true } },
    errors: [400, 401, 429, 500, 503],
    isSigned: false,
    isForReaders: true,
    query: schemas.listQuery,
  },
  listErased: {
    method: 'GET',
    path: ERASED_PATH,
    summary: 'Lists what copies must not have any more, a line of JSON each.',
    params: null,
    body: null,
    replies: { 200: { what: 'The lines.', schema: schemas.erasedLine, isLines: true } },
    errors: [400, 401, 429, 500, 503],
    isSigned: false,
    isForReaders: true,
    query: schemas.listQuery,
  },
  withdraw: {
    method: 'POST',
    path: WITHDRAWALS_PATH,
    summary: 'Takes consent back: what came under these receipts is not used any more.',
    params: schemas.deviceParams,
    body: schemas.withdrawalAsk,
    replies: { 200: { what: 'It is so.', schema: schemas.withdrawalAnswer } },
    errors: [400, ...SIGNED_ERRORS, 500, 507],
    isSigned: true,
  },
  eraseSegments: {
    method: 'POST',
    path: DELETIONS_PATH,
    summary: 'Erases segments because their person asked for it; none of them is ever taken again.',
    params: schemas.deviceParams,
    body: schemas.deletionAsk,
    replies: { 200: { what: 'They are gone.', schema: schemas.deletionAnswer } },
    errors: [400, ...SIGNED_ERRORS, 500, 507],
    isSigned: true,
  },
  askExemption: {
    method: 'POST',
    path: EXEMPTIONS_PATH,
    summary: 'Asks to be exempt, asks what became of that, or takes it back.',
    params: schemas.deviceParams,
    body: schemas.exemptionAsk,
    replies: {
      200: { what: 'It was known.', schema: schemas.exemptionAnswer },
      201: { what: 'It is kept.', schema: schemas.exemptionAnswer },
    },
    errors: [400, ...SIGNED_ERRORS, 409, 500, 507],
    isSigned: true,
  },
  tellHealth: {
    method: 'POST',
    path: DEVICE_HEALTH_PATH,
    summary:
      'Says which version runs on a device and what is wrong with it; the last word is kept, with its day.',
    params: schemas.deviceParams,
    body: schemas.healthWord,
    replies: { 200: { what: 'It is kept.', schema: schemas.nothing } },
    errors: [400, ...SIGNED_ERRORS, 500, 507],
    isSigned: true,
  },
  enrol: {
    method: 'POST',
    path: ENROL_PATH,
    summary: 'Makes a device’s key known, by a one-time token.',
    params: null,
    body: schemas.enrolAsk,
    replies: {
      200: { what: 'It was known, by the same token.', schema: schemas.enrolAnswer },
      201: { what: 'It is known now.', schema: schemas.enrolAnswer },
    },
    errors: [400, ...SIGNED_ERRORS, 409, 500, 507],
    isSigned: true,
  },
  health: {
    method: 'GET',
    path: '/healthz',
    summary: 'Whether the process is alive.',
    params: null,
    body: null,
    replies: { 200: { what: 'It is.', schema: schemas.health } },
    errors: [],
    isSigned: false,
  },
  ready: {
    method: 'GET',
    path: '/readyz',
    summary:
      'Whether it can take a segment now: store and catalogue answer, there is room, it is not stopping.',
    params: null,
    body: null,
    replies: {
      200: { what: 'It can.', schema: schemas.ready },
      503: { what: 'It cannot, and why.', schema: schemas.ready },
    },
    errors: [],
    isSigned: false,
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    summary: 'Counts in Prometheus’s text format, where nobody but this machine can ask.',
    params: null,
    body: null,
    replies: { 200: { what: 'The counts.', schema: null } },
    errors: [404],
    isSigned: false,
  },
  openapi: {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This document.',
    params: null,
    body: null,
    replies: { 200: { what: 'OpenAPI 3.1.', schema: null } },
    errors: [],
    isSigned: false,
  },
} as const satisfies Readonly<Record<string, Operation>>;

/** What an operation is called. */
export type OperationId = keyof typeof OPERATIONS;
