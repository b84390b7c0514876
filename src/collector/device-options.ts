import type { Command } from 'commander';
import { type DeviceDesk, enroll, listDevices, revokeDevice } from './enroll-command.ts';
import type { PlaceFlags } from './stores.ts';

const ENROLL_EXAMPLES = `
Prints a one-time token, good for 24 hours; only its hash is kept.

Examples:
  telemetry-collector enroll
  telemetry-collector enroll --json | jq -r .token`;

const DEVICES_EXAMPLES = `
Examples:
  telemetry-collector devices list
  telemetry-collector devices revoke 0197f3a0-5c1e-7d4a-9b6f-2f1d8c3e4a5b`;

/** The options of these commands. */
export interface DeviceFlags extends PlaceFlags {
  readonly json?: true;
}

type OpenDesk = (options: DeviceFlags, access: 'read-only' | 'read-write') => DeviceDesk;

/** Adds `enroll` and `devices list|revoke`. */
export function defineDevices(command: Command, deviceDesk: OpenDesk): void {
  const add = (parent: Command, name: string, description: string, examples: string): Command =>
    parent
      .command(name)
      .description(description)
      .option('--data <dir>', 'of the collector (default: the XDG data folder)')
      .option('--catalog <url>', 'postgres://…, of collectors that share one')
      .option('--json', 'one JSON document, times in UTC')
      .addHelpText('after', examples);
  add(command, 'enroll', 'print a token with which one device can enrol', ENROLL_EXAMPLES).action(
    (options: DeviceFlags) => enroll(deviceDesk(options, 'read-write')),
  );
  const devices = command
    .command('devices')
    .description('list and revoke the devices that enrolled')
    .addHelpText('after', DEVICES_EXAMPLES);
  add(devices, 'list', 'list every key that was enrolled', DEVICES_EXAMPLES).action((options: DeviceFlags) =>
    listDevices(deviceDesk(options, 'read-only')),
  );
  add(devices, 'revoke <device>', 'take nothing from a device any more', DEVICES_EXAMPLES).action(
    (device: string, options: DeviceFlags) => revokeDevice(device, deviceDesk(options, 'read-write')),
  );
}
