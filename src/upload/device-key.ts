import { readFileSync } from 'node:fs';
import type { Round } from '../control/protocol.ts';
import { messageOf, TelemetryError } from '../core/errors.ts';
import { isEnrolledAt, parseEnrolment } from '../signing/enrolment.ts';
import { RequestSigner } from '../signing/request-signer.ts';

/** What enrolment gives a round. */
export interface RoundKey {
  readonly signer: RequestSigner;
  /** PEM; `null`: the system's certificate authorities. */
  readonly ca: string | null;
}

/** What signs the requests of a round; `null` where this device is not enrolled. Throws when the key cannot be used. */
export function roundKey({ deviceKeyFile, url }: Round, wallMs: () => number): RoundKey | null {
  if (deviceKeyFile === undefined) return null;
  try {
    const enrolment = parseEnrolment(JSON.parse(readFileSync(deviceKeyFile, 'utf8')));
    if (!isEnrolledAt(enrolment, url)) throw new Error('it is for another collector');
    return { signer: new RequestSigner(enrolment.keys, wallMs), ca: enrolment.ca };
  } catch (cause) {
    throw new TelemetryError('failed', `The device’s key cannot be used: ${messageOf(cause)}.`, {
      op: 'read the device’s key',
      hint: 'telemetryctl enroll URL TOKEN',
      cause,
    });
  }
}
