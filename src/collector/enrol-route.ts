import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Log } from '../core/clock.ts';
import { fingerprintOf, isKey } from '../signing/ed25519.ts';
import { type ApiError, sendError } from './api-error.ts';
import { type enrolAnswer, enrolAsk } from './api-schemas.ts';
import type { DeviceBook, EnrolmentOutcome } from './device-book.ts';
import type { Doorman } from './doorman.ts';
import { hashOfSecret } from './enrolment-token.ts';
import { readJsonObject } from './json-body.ts';
import type { SignedRequest } from './signed-request.ts';

/**
 * `POST /v1/enrol` with `{ token, device, publicKey }`, signed by that key; `token` is the secret before the point.
 * Answers `{ device, collectorKey }`, signed.
 */
export const ENROL_PATH = '/v1/enrol';

/** What enrolling stands on. */
export interface EnrolParts {
  readonly devices: DeviceBook;
  readonly doorman: Doorman;
  readonly collectorKey: string;
  readonly log: Log;
  /** Has the reply to this request signed. */
  readonly vouch: (request: FastifyRequest, signed: SignedRequest) => void;
}

/** Answers one request. */
export async function handleEnrol(
  request: FastifyRequest,
  reply: FastifyReply,
  { devices, doorman, collectorKey, log, vouch }: EnrolParts,
): Promise<FastifyReply> {
  const ask = enrolAsk.safeParse(await readJsonObject(request.raw));
  if (!ask.success || !isKey(ask.data.publicKey)) {
    return sendError(reply, {
      status: 400,
      code: 'bad-request',
      message: 'this takes {"token", "device": UUID, "publicKey"} with the digest of that',
      hint: 'telemetryctl enroll URL TOKEN',
    });
  }
  const { token, device, publicKey } = ask.data;
  const signed = await doorman.introduce(request, publicKey);
  if ('status' in signed) return sendError(reply, signed);
  vouch(request, signed);
  const keyId = fingerprintOf(publicKey);
  const outcome = await devices.enrol({ tokenHash: hashOfSecret(token), device, keyId, publicKey });
  log.info({ device, keyId, outcome }, 'a device asked to enrol');
  if (outcome !== 'enrolled' && outcome !== 'known') return sendError(reply, REFUSALS[outcome]);
  const answer: z.infer<typeof enrolAnswer> = { device, collectorKey };
  return reply.code(outcome === 'enrolled' ? 201 : 200).send(answer);
}

const AGAIN = 'telemetry-collector enroll, for a new token';

const REFUSALS: Readonly<Record<Exclude<EnrolmentOutcome, 'enrolled' | 'known'>, ApiError>> = {
  'unknown-token': {
    status: 403,
    code: 'token-unknown',
    message: 'this collector made no such token',
    hint: AGAIN,
  },
  'used-token': { status: 403, code: 'token-used', message: 'the token was used', hint: AGAIN },
  'expired-token': { status: 403, code: 'token-expired', message: 'the token has expired', hint: AGAIN },
  taken: {
    status: 409,
    code: 'conflict',
    message: 'this device is enrolled already, or the key was',
    hint: 'telemetry-collector devices revoke DEVICE, then enrol anew',
  },
};
