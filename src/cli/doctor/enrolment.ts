import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isLoopbackUrl } from '../../core/gate.ts';
import { ENROLMENT_FILE, type Enrolment, isEnrolledAt, parseEnrolment } from '../../signing/enrolment.ts';
import { type Check, failed, ok, skipped } from './check.ts';
import type { Patient } from './patient.ts';

/** What the state folder says of enrolment; `closed`: not for this account to read. */
export function readEnrolment(stateDir: string): Enrolment | 'none' | 'closed' | 'damaged' {
  let text: string;
  try {
    text = readFileSync(join(stateDir, ENROLMENT_FILE), 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    return code === 'ENOENT' ? 'none' : 'closed';
  }
  try {
    return parseEnrolment(JSON.parse(text));
  } catch {
    return 'damaged';
  }
}

/** Whether the collector of the policy knows this device. */
export function enrolment({ destination, heard, stateDir }: Patient): Check {
  if (destination === null)
    return skipped('enrolment', 'Without a policy nothing says where files would go.');
  if (destination === '') return skipped('enrolment', 'Nothing is sent by this policy, so none is needed.');
  if (isLoopbackUrl(destination))
    return skipped('enrolment', 'The collector is on this machine, so none is needed.');
  const fix = `telemetryctl enroll ${destination} TOKEN`;
  const blockers = heard.kind === 'own' ? heard.status.upload.blockers : [];
  const refused = blockers.find(({ code }) => code === 'unauthorised');
  if (refused !== undefined) return failed('enrolment', refused.text, fix);
  const found = readEnrolment(stateDir);
  if (found === 'closed') return skipped('enrolment', 'The device’s key is not for this account to read.');
  if (found === 'none') return failed('enrolment', `This device is not enrolled with ${destination}.`, fix);
  if (found === 'damaged') return failed('enrolment', 'The device’s key is damaged.', fix);
  if (!isEnrolledAt(found, destination))
    return failed(
      'enrolment',
      `This device is enrolled with ${found.url}, and the policy names ${destination}.`,
      fix,
    );
  const unseen = blockers.find(({ code }) => code === 'not-enrolled');
  if (unseen !== undefined)
    return failed(
      'enrolment',
      `There is a key, and the daemon does not take it: ${unseen.text}`,
      'restart the daemon, else enrol anew',
    );
  return ok('enrolment', `This device is enrolled with ${destination}.`);
}
