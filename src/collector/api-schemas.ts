import { z } from 'zod';
import { HEALTH_FORM } from '../core/health.ts';
import { parseUuid } from './segment-key.ts';

/** Ids are UUIDs of any version, read in either case, kept in lower case. */
const uuid = z
  .string()
  .regex(/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/)
  .overwrite((text) => parseUuid(text) ?? text)
  .meta({ format: 'uuid' });

/** ISO 8601 in UTC with milliseconds, as `Date.toISOString` writes it. */
const isoTime = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)
  .refine((text) => !Number.isNaN(Date.parse(text)))
  .meta({ format: 'date-time' });

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Of every path with a device. */
export const deviceParams = z.object({ device: uuid });
/** Of a segment's path. */
export const segmentParams = z.object({ device: uuid, segment: uuid });

/** `POST …/deletions`. What else a client sends is for later versions. */
export const deletionAsk = z.object({
  request: uuid,
  segments: z.array(uuid).min(1).max(1000),
});

/** The answer to it: every id that was asked for is in one of the two lists. */
export const deletionAnswer = z.object({
  request: uuid,
  erased: z.array(uuid).readonly(),
  unknown: z.array(uuid).readonly(),
});

/** `POST …/exemptions`. */
export const exemptionAsk = z.object({
  request: uuid,
  scope: z.string().describe('all, app:NAME or hours:SPEC'),
  askedAt: isoTime,
  until: isoTime,
  reason: z.string().nullish().describe('an age file in base64, which the deciders open'),
  withdrawn: z.unknown().optional().describe('true: the person takes it back'),
});

/** The answer to it. */
export const exemptionAnswer = z.object({
  request: uuid,
  state: z.enum(['pending', 'approved', 'denied', 'withdrawn']),
  by: z.string(),
  reason: z.string(),
  decidedAt: isoTime.nullable(),
});

/** `POST …/health`: `parseHealth` of core reads it. */
export const healthWord = z.strictObject({
  version: z.string().regex(HEALTH_FORM.version),
  backend: z.string().regex(HEALTH_FORM.backend),
  codes: z.array(z.string().regex(HEALTH_FORM.code)).max(HEALTH_FORM.maxCodes),
});

/** The answer where there is nothing to say. */
export const nothing = z.strictObject({});

/** `POST /v1/enrol`. */
export const enrolAsk = z.object({
  token: z.string().describe('the secret before the point'),
  device: uuid,
  publicKey: z.string().describe('Ed25519, raw, base64url'),
});

/** The answer to it. */
export const enrolAnswer = z.object({ device: uuid, collectorKey: z.string() });

/** Of a segment that is kept. */
export const receipt = z.object({
  device: uuid,
  segment: uuid,
  sizeBytes: z.int().min(1),
  sha256,
  expires: isoTime.nullable().describe('when it is removed; null: that is not decided yet'),
});

/** What a device says of a segment beside its id. */
export const segmentQuery = z.object({
  sequence: z.string().optional().describe('its number among the segments of the device'),
  receipt: z.string().optional().describe('UUID of the consent that it was recorded under'),
  retention: z.string().optional().describe('seconds for which its person was told that it is kept'),
});

/** `POST …/withdrawals`. */
export const withdrawalAsk = z.object({ request: uuid, receipts: z.array(uuid).min(1).max(1000) });

/** The answer to it. */
export const withdrawalAnswer = z.object({ request: uuid, withdrawn: z.array(uuid).readonly() });

/** What readers may ask of a list. */
export const listQuery = z.object({ since: isoTime.optional() });

/** A line of `GET /v1/segments`. */
export const indexLine = z.discriminatedUnion('type', [
  z.object({ type: z.literal('index'), schema: z.literal(1), at: isoTime, since: isoTime.nullable() }),
  z.object({
    type: z.literal('segment'),
    device: uuid,
    segment: uuid,
    sizeBytes: z.int(),
    sha256,
    receivedAt: isoTime,
    expiresAt: isoTime,
    sequence: z.int().nullable(),
    receipt: uuid,
  }),
  z.object({
    type: z.literal('device'),
    device: uuid,
    segments: z.int(),
    sizeBytes: z.int(),
    sequence: z.object({
      first: z.int().nullable(),
      last: z.int().nullable(),
      missing: z.array(z.tuple([z.int(), z.int()])),
      unknown: z.int(),
    }),
  }),
  z.object({ type: z.literal('end'), devices: z.int(), segments: z.int(), sizeBytes: z.int() }),
]);

/** A line of `GET /v1/erased`. */
export const erasedLine = z.discriminatedUnion('type', [
  z.object({ type: z.literal('erased'), schema: z.literal(1), at: isoTime, since: isoTime.nullable() }),
  z.object({
    type: z.literal('segment'),
    device: uuid,
    segment: uuid,
    at: isoTime,
    why: z.enum(['deleted', 'withdrawn', 'expired']),
  }),
  z.object({ type: z.literal('end'), segments: z.int() }),
]);

/** `GET /healthz`. */
export const health = z.object({
  ok: z.literal(true),
  receiving: z.int().min(0).describe('segments being received'),
  maxSegmentBytes: z.int().min(1),
});

/** `GET /readyz`. */
export const ready = z.object({
  ready: z.boolean(),
  reasons: z.array(z.enum(['draining', 'store', 'catalogue', 'disk-full'])),
});

/** Every answer that is not a success. */
export const apiErrorBody = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string() }),
});
