import type { FastifyRequest } from 'fastify';
import { fingerprintOf } from '../signing/ed25519.ts';
import { MAX_VALIDITY_S } from '../signing/request-signer.ts';
import type { ApiError } from './api-error.ts';
import type { DeviceBook } from './device-book.ts';
import type { ReplayGuard } from './replay-guard.ts';
import { parseUuid } from './segment-key.ts';
import { isSignatureRight, readSigned, type SignedRequest } from './signed-request.ts';

/** What a doorman knows and was told. */
export interface DoormanParts {
  readonly devices: DeviceBook;
  readonly replays: ReplayGuard;
  readonly wallMs: () => number;
  /** What devices call this collector; `null`: as their requests say. */
  readonly publicUrl: string | null;
  /** Nobody may come who has not enrolled. */
  readonly isEnrolmentRequired: boolean;
}

/** Clocks that are set by the network differ by seconds; a whole minute ahead is one that is not. */
const MAX_AHEAD_MS = 60_000;

/** Whether a request may come in: it is signed by a device of ours, or is one that needs no signature. */
export class Doorman {
  readonly #parts: DoormanParts;

  constructor(parts: DoormanParts) {
    this.#parts = parts;
  }

  /** Judges a request for a device. `null`: it may come in unsigned. */
  async admit(request: FastifyRequest, deviceInPath: string): Promise<SignedRequest | ApiError | null> {
    const { devices, publicUrl, isEnrolmentRequired } = this.#parts;
    const signed = readSigned(request, publicUrl);
    if (signed === 'malformed') return MALFORMED;
    const device = parseUuid(deviceInPath);
    if (signed === null) {
      // What is no id is nobody's, and the route says what is wrong with it.
      if (isEnrolmentRequired || (device !== undefined && (await devices.hasEnrolled(device))))
        return UNSIGNED;
      return null;
    }
    const key = await devices.find(signed.parameters.keyId);
    if (key === null) return refused(401, 'key-unknown', 'no device is enrolled with this key', ENROL);
    if (!isSignatureRight(signed, key.publicKey)) return WRONG;
    if (key.revokedAtMs !== null) return refused(403, 'key-revoked', 'this device’s key was revoked', ENROL);
    if (key.device !== device)
      return refused(403, 'other-device', 'the key is another device’s', 'send as the device that enrolled');
    return (await this.#timely(signed)) ?? signed;
  }

  /** Judges a request of a device that brings its key. */
  async introduce(request: FastifyRequest, publicKey: string): Promise<SignedRequest | ApiError> {
    const signed = readSigned(request, this.#parts.publicUrl);
    if (signed === null) return UNSIGNED;
    if (signed === 'malformed') return MALFORMED;
    if (signed.parameters.keyId !== fingerprintOf(publicKey) || !isSignatureRight(signed, publicKey))
      return WRONG;
    return (await this.#timely(signed)) ?? signed;
  }

  /** Last of all: only what is signed rightly may fill the memory of nonces. */
  async #timely({ parameters }: SignedRequest): Promise<ApiError | null> {
    const { replays, wallMs } = this.#parts;
    const nowMs = wallMs();
    const createdMs = parameters.createdS * 1000;
    const expiresMs = (parameters.expiresS ?? 0) * 1000;
    const isShort = expiresMs > createdMs && expiresMs - createdMs <= MAX_VALIDITY_S * 1000;
    const isNew = createdMs >= Math.floor(replays.sinceMs / 1000) * 1000;
    if (!isShort || !isNew || createdMs > nowMs + MAX_AHEAD_MS || expiresMs < nowMs) {
      return refused(401, 'signature-time', 'it was not signed just now', 'sign it by the clock in Date');
    }
    switch (await replays.take(parameters.keyId, parameters.nonce, expiresMs, nowMs)) {
      case 'taken':
        return null;
      case 'replayed':
        return refused(401, 'replayed', 'this request came before', 'sign it anew');
      case 'full':
        return {
          ...refused(429, 'busy', 'this device sends too much', 'send it later'),
          retryAfterSeconds: 300,
        };
    }
  }
}

const ENROL = 'telemetry-collector enroll, then telemetryctl enroll URL TOKEN on the device';
const MALFORMED = refused(401, 'signature-malformed', 'the signature is not as telemetryd makes it', ENROL);
const UNSIGNED = refused(
  401,
  'signature-missing',
  'this takes signed requests of enrolled devices only',
  ENROL,
);
const WRONG = refused(401, 'signature-wrong', 'the signature is not of this key over this request', ENROL);

function refused(status: number, code: ApiError['code'], message: string, hint: string): ApiError {
  return { status, code, message, hint };
}
