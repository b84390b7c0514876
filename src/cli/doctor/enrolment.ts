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
export function enrolment({ destination, heard, stateDir, place }: Patient): Check {
  if (destination === null)
    return skipped('enrolment', 'Without a policy nothing says where files would go.');
  if (destination === '') return skipped('enrolment', 'Nothing is sent by this policy, so none is needed.');
  if (isLoopbackUrl(destination))
    return skipped('enrolment', 'The collector is on this machine, so none is needed.');
  if (heard.kind !== 'own' && place.kind === 'system')
    return skipped('enrolment', 'The system’s service keeps it for each person, who alone is told of it.');
  const fix = `telemetryctl enroll ${destination} TOKEN`;
  const blockers = heard.kind === 'own' ? heard.status.upload.blockers : [];
  const refused = blockers.find(({ code }) => code === 'unauthorised');
  if (refused !== undefined) return failed('enrolment', refused.text, fix);
  const unknown = blockers.find(({ code }) => code === 'not-enrolled');
  const found = readEnrolment(stateDir);
  if (found === 'closed') {
    if (unknown !== undefined) return failed('enrolment', unknown.text, fix);
    if (heard.kind === 'own')
      return ok('enrolment', `The daemon is enrolled with ${destination}, as it says.`);
    return skipped('enrolment', 'The device’s key is not for this account to read.');
  }
  if (found === 'none') return failed('enrolment', `This device is not enrolled with ${destination}.`, fix);
  if (found === 'damaged') return failed('enrolment', 'The device’s key is damaged.', fix);
  if (!isEnrolledAt(found, destination))
    return failed(
      'enrolment',
      `This device is enrolled with ${found.url}, and the policy names ${destination}.`,
      fix,
    );
  if (unknown !== undefined)
    return failed(
      'enrolment',
      `There is a key, and the daemon does not take it: ${unknown.text}`,
      'restart the daemon, else enrol anew',
    );
  return ok('enrolment', `This device is enrolled with ${destination}.`);
}
