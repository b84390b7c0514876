import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { get, post } from '../control/calls.ts';
import { parseDestination } from '../core/destination.ts';
import { TelemetryError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { fingerprintOf, isKey } from '../signing/ed25519.ts';
import { isReplyProven } from '../signing/reply-check.ts';
import { RequestSigner } from '../signing/request-signer.ts';
import { openDevice } from '../spool/device-file.ts';
import { ensureFolder } from '../spool/durable-file.ts';
import { askDaemon, isDaemonDown, restingPlace } from './daemon.ts';
import { forgetPending, keepEnrolment, pendingKeys } from './enrolment-files.ts';
import { type EnrolmentReply, postEnrolment } from './enrolment-request.ts';
import type { CliIo } from './io.ts';

/** Of what a server wrote, no more goes to a terminal. */
const SHOWN_CHARACTERS = 200;

/** What to enrol with. */
export interface EnrolOrder {
  readonly url: string;
  /** `SECRET.FINGERPRINT`. */
  readonly token: string;
  /** A PEM file; `null` for the system's certificate authorities. */
  readonly ca: string | null;
}

/** Who is known to whom now; keys by their fingerprints. */
export interface Enrolled {
  readonly device: string;
  readonly key: string;
  readonly collectorKey: string;
}

/** A secret of 24 bytes, and a SHA-256. */
const TOKEN = /^([A-Za-z0-9_-]{32})\.([A-Za-z0-9_-]{43})$/;

/** Makes this device's key, has the collector take it, pins the collector's, and tells the daemon. */
export async function enrol(io: CliIo, { url, token, ca }: EnrolOrder): Promise<Enrolled> {
  const [, secret, fingerprint] = TOKEN.exec(token) ?? [];
  if (secret === undefined || fingerprint === undefined) {
    throw new TelemetryError('usage', 'That is no token of a collector.', {
      op: 'enrol',
      hint: 'telemetry-collector enroll, and the whole first line that it prints',
    });
  }
  parseDestination(url);
  const stateDir = await stateFolder(io);
  ensureFolder(stateDir);
  const device = openDevice(stateDir, randomBytes).pseudonym;
  const keys = pendingKeys(stateDir, url, device);
  const signer = new RequestSigner(keys, () => io.clock.now().wallMs);
  const body = JSON.stringify({ token: secret, device, publicKey: keys.publicKey });
  const authority = ca === null ? null : readAuthority(ca);
  let reply = await postEnrolment(url, body, signer, authority);
  if (reply.status === 401 && signer.learn(reply.date))
    reply = await postEnrolment(url, body, signer, authority);
  if (reply.status !== 200 && reply.status !== 201) {
    // Whoever knows the answer to this key would give it again.
    if (reply.status === 403 || reply.status === 409) forgetPending(stateDir);
    throw refusal(reply);
  }
  const collectorKey = provenKey(reply, fingerprint);
  const enrolledAt = new Date(io.clock.now().wallMs).toISOString();
  keepEnrolment(stateDir, { url, device, keys, collectorKey, ca: authority, enrolledAt });
  await askDaemon(io, (socketPath) => post(socketPath, 'reload', {})).catch((error: unknown) => {
    // One that starts later reads the file then.
    if (!isDaemonDown(error)) throw error;
  });
  return { device, key: fingerprintOf(keys.publicKey), collectorKey: fingerprint };
}

function readAuthority(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new TelemetryError('usage', `${path} cannot be read.`, {
      op: 'enrol',
      hint: '--ca FILE, PEM',
      cause,
    });
  }
}

async function stateFolder(io: CliIo): Promise<string> {
  try {
    const report = await askDaemon(io, (socketPath) => get(socketPath, 'status'));
    if ('stateDir' in report.daemon) return report.daemon.stateDir;
  } catch (error) {
    if (!isDaemonDown(error)) throw error;
  }
  return restingPlace(io).stateDir;
}

/** The collector's key: the one that the token names, and that signed this very reply. */
function provenKey({ status, body, proof, request }: EnrolmentReply, fingerprint: string): string {
  const { collectorKey } = jsonOf(body);
  const isNamed = isKey(collectorKey) && fingerprintOf(collectorKey) === fingerprint;
  if (isNamed && isReplyProven(collectorKey, proof, { status, request })) return collectorKey;
  throw new TelemetryError('failed', 'Whoever answered is not the collector that made this token.', {
    op: 'enrol',
    hint: 'compare the address with whoever gave you the token; nothing was kept',
  });
}

function refusal({ status, body }: EnrolmentReply): TelemetryError {
  const { message, hint } = fieldsOf(jsonOf(body)['error']);
  const why =
    typeof message === 'string' ? printable(message).slice(0, SHOWN_CHARACTERS) : `status ${status}`;
  return new TelemetryError('failed', `The collector did not take this device: ${why}.`, {
    op: 'enrol',
    hint:
      typeof hint === 'string'
        ? printable(hint).slice(0, SHOWN_CHARACTERS)
        : 'the address of a telemetry-collector',
  });
}

function jsonOf(body: string): Readonly<Record<string, unknown>> {
  try {
    return fieldsOf(JSON.parse(body));
  } catch {
    return {};
  }
}

function fieldsOf(json: unknown): Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null ? { ...json } : {};
}
