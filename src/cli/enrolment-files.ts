import { chownSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { TelemetryError } from '../core/errors.ts';
import { isKey, type KeyPair, makeKeyPair } from '../signing/ed25519.ts';
import { ENROLMENT_FILE, type Enrolment, enrolmentJson } from '../signing/enrolment.ts';
import { removeFile } from '../spool/durable-file.ts';
import { writeStateFile } from '../spool/state-file.ts';
import { decoded } from './state-files.ts';

/** In the state folder: a key that a collector may have taken, though its answer did not arrive. */
const PENDING_FILE = 'device-key.pending.json';

/** The first line of a file that nobody else may read, as a systemd credential is. */
export function readTokenFile(path: string): string {
  let mode: number;
  let text: string;
  try {
    ({ mode } = statSync(path));
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new TelemetryError('usage', `${path} cannot be read.`, { hint: '--token-file FILE', cause });
  }
  if ((mode & 0o077) === 0) return text.split('\n', 1)[0]?.trim() ?? '';
  throw new TelemetryError('usage', `Others can read ${path}: its token may be theirs already.`, {
    hint: `chmod 600 ${path}, after a new telemetry-collector enroll`,
  });
}

/** The key to enrol with: the one of a try that was not answered, else a new one, kept before it is sent anywhere. */
export function pendingKeys(stateDir: string, url: string, device: string): KeyPair {
  const pending = decoded(stateDir, PENDING_FILE, (json) => {
    const fields = json as Readonly<Record<string, unknown>>;
    const { publicKey, privateKey } = fields;
    const isSame = fields['url'] === url && fields['device'] === device;
    return isSame && isKey(publicKey) && isKey(privateKey) ? { publicKey, privateKey } : undefined;
  });
  if (pending !== undefined) return pending;
  const keys = makeKeyPair();
  writeStateFile(join(stateDir, PENDING_FILE), { schema: 1, url, device, ...keys });
  return keys;
}

/** The collector will not have that key. */
export function forgetPending(stateDir: string): void {
  removeFile(join(stateDir, PENDING_FILE));
}

/** Keeps an enrolment where daemon and uploader find it; theirs, also when root enrols for them. */
export function keepEnrolment(stateDir: string, enrolment: Enrolment): void {
  const path = join(stateDir, ENROLMENT_FILE);
  writeStateFile(path, enrolmentJson(enrolment));
  const { uid, gid } = statSync(stateDir);
  if (statSync(path).uid !== uid) chownSync(path, uid, gid);
  forgetPending(stateDir);
}
