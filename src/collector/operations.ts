import type { z } from 'zod';
import * as schemas from './api-schemas.ts';
import { DELETIONS_PATH } from './deletions-route.ts';
import { ENROL_PATH } from './enrol-route.ts';
import { EXEMPTIONS_PATH } from './exemption-route.ts';
import { PUT_SEGMENT_PATH } from './put-route.ts';

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
  readonly replies: Readonly<Record<number, { readonly what: string; readonly schema: z.ZodType | null }>>;
  /** Statuses of answers that are errors. */
  readonly errors: readonly number[];
  /** Signed by enrolled devices. */
  readonly isSigned: boolean;
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
