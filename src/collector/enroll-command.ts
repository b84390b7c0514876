import { mkdir } from 'node:fs/promises';
import { TelemetryError } from '../core/errors.ts';
import { fingerprintOf } from '../signing/ed25519.ts';
import type { DeviceBook, DeviceKey } from './device-book.ts';
import { makeToken, TOKEN_LIFE_MS } from './enrolment-token.ts';
import { parseUuid } from './segment-key.ts';

/** What `enroll` and `devices` stand on. */
export interface DeviceDesk {
  readonly devices: DeviceBook;
  /** `null`: in a database. */
  readonly dataDir: string | null;
  /** The public key that devices trust; asked once `devices` is started. */
  readonly collectorKey: () => Promise<string>;
  readonly wallMs: () => number;
  readonly write: (text: string) => void;
  readonly isJson: boolean;
}

/** `enroll`: a token for one device. It is shown once and kept nowhere. */
export async function enroll(desk: DeviceDesk): Promise<void> {
  const { dataDir, collectorKey, wallMs, write, isJson } = desk;
  if (dataDir !== null) await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const { token, fingerprint, expiresAt } = await withBook(desk, async (devices) => {
    const publicKey = await collectorKey();
    const made = makeToken(publicKey);
    const expiresAtMs = wallMs() + TOKEN_LIFE_MS;
    await devices.addToken(made.hash, expiresAtMs);
    const expires = new Date(expiresAtMs).toISOString();
    return { token: made.token, fingerprint: fingerprintOf(publicKey), expiresAt: expires };
  });
  if (isJson) {
    write(`${JSON.stringify({ schema: 1, token, expiresAt, collectorKey: fingerprint }, null, 2)}\n`);
    return;
  }
  const until = `${expiresAt.slice(0, 16).replace('T', ' ')} UTC`;
  write(`${token}\n\nFor one device, until ${until}. On the device:\n`);
  write(`  telemetryctl enroll URL TOKEN\nThis collector’s key is ${fingerprint}.\n`);
}

/** `devices list`: every key that was ever enrolled. */
export async function listDevices(desk: DeviceDesk): Promise<void> {
  const keys = await withBook(desk, (devices) => devices.list());
  if (desk.isJson) {
    desk.write(`${JSON.stringify({ schema: 1, devices: keys.map(jsonOf) }, null, 2)}\n`);
    return;
  }
  if (keys.length === 0) desk.write('no devices\n');
  else desk.write(`${HEADING}\n${keys.map(lineOf).join('\n')}\n`);
}

/** `devices revoke`: the device can send nothing any more, from this moment on. */
export async function revokeDevice(text: string, desk: DeviceDesk): Promise<void> {
  const device = parseUuid(text);
  if (device === undefined) {
    throw new TelemetryError('usage', `"${text}" is not a device`, {
      op: 'revoke',
      hint: 'telemetry-collector devices list',
    });
  }
  const revoked = await withBook(desk, (devices) => devices.revoke(device));
  if (revoked === 0) {
    throw new TelemetryError('failed', `no key of ${device} counts`, {
      op: 'revoke',
      hint: 'telemetry-collector devices list',
    });
  }
  if (desk.isJson) desk.write(`${JSON.stringify({ schema: 1, device, revoked }, null, 2)}\n`);
  else desk.write(`${device} is revoked; to come back it must enrol with a new token.\n`);
}

async function withBook<Result>(
  { devices, dataDir }: DeviceDesk,
  act: (devices: DeviceBook) => Promise<Result>,
): Promise<Result> {
  try {
    await devices.start();
    return await act(devices);
  } catch (cause) {
    if (cause instanceof TelemetryError) throw cause;
    throw new TelemetryError('failed', `cannot use the data folder ${dataDir ?? ''}`, {
      op: 'open device book',
      hint: '--data DIR of the collector, as the user that runs it',
      cause,
    });
  } finally {
    await devices.stop();
  }
}

/** 36 + 2 + 16 + 2 + 7 + 2 + 12 = 77 columns. */
const HEADING = `${'device'.padEnd(36)}  ${'enrolled (UTC)'.padEnd(16)}  ${'state'.padEnd(7)}  key`;

function lineOf({ device, enrolledAtMs, revokedAtMs, keyId }: DeviceKey): string {
  const enrolled = new Date(enrolledAtMs).toISOString().slice(0, 16).replace('T', ' ');
  const state = revokedAtMs === null ? 'counts' : 'revoked';
  return `${device}  ${enrolled}  ${state.padEnd(7)}  ${keyId.slice(0, 12)}`;
}

function jsonOf({ device, keyId, enrolledAtMs, revokedAtMs }: DeviceKey) {
  return {
    device,
    key: keyId,
    enrolledAt: new Date(enrolledAtMs).toISOString(),
    revokedAt: revokedAtMs === null ? null : new Date(revokedAtMs).toISOString(),
  };
}
