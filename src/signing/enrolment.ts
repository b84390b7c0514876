import { isKey, type KeyPair } from './ed25519.ts';

/** In the state folder, 0600: what makes this device known to one collector. */
export const ENROLMENT_FILE = 'device-key.json';

/** A device's place with a collector. */
export interface Enrolment {
  /** The collector's address as the policy names it. */
  readonly url: string;
  /** The pseudonym that was enrolled. */
  readonly device: string;
  readonly keys: KeyPair;
  /** The collector's public key, pinned: what it says counts only when this key signed it. */
  readonly collectorKey: string;
  /** PEM of the certificate authority that vouches for the collector; `null`: one of the system's. */
  readonly ca: string | null;
  /** ISO 8601 UTC. */
  readonly enrolledAt: string;
}

/** Reads the file's JSON; throws when it is no enrolment. */
export function parseEnrolment(json: unknown): Enrolment {
  const fields: Readonly<Record<string, unknown>> =
    typeof json === 'object' && json !== null ? { ...json } : {};
  const { url, device, publicKey, privateKey, collectorKey, enrolledAt, ca = null } = fields;
  if (typeof url !== 'string' || typeof device !== 'string' || typeof enrolledAt !== 'string')
    throw new Error('not an enrolment');
  if (ca !== null && typeof ca !== 'string') throw new Error('its certificate authority is no text');
  if (!isKey(publicKey) || !isKey(privateKey) || !isKey(collectorKey)) throw new Error('a key is missing');
  return { url, device, keys: { publicKey, privateKey }, collectorKey, ca, enrolledAt };
}

/** What is written to the file. */
export function enrolmentJson({ url, device, keys, collectorKey, ca, enrolledAt }: Enrolment): object {
  return { schema: 1, url, device, enrolledAt, collectorKey, ca, ...keys };
}

/** Whether an enrolment is with the collector at `url`, however its address is written. */
export function isEnrolledAt(enrolment: Pick<Enrolment, 'url'>, url: string): boolean {
  const wanted = canonical(url);
  return wanted !== null && wanted === canonical(enrolment.url);
}

function canonical(url: string): string | null {
  return URL.parse(url)?.href.replace(/\/+$/, '') ?? null;
}
