import { networkSysfs } from '../../conditions/network-sysfs.ts';
import { powerSysfs } from '../../conditions/power-sysfs.ts';
import { type SysfsRoot, sysfsRoot } from '../../conditions/sysfs-root.ts';
import type { Source } from '../../core/conditions.ts';
import type { CliIo } from '../io.ts';
import { type Check, type CheckName, ok, skipped, warn } from './check.ts';
import type { Patient } from './patient.ts';

const POWER = { ac: 'It runs on AC power', battery: 'It runs on battery' } as const;
const NETWORK = {
  wifi: 'It is on Wi-Fi',
  ethernet: 'It is on Ethernet',
  cellular: 'It is on a mobile network',
  local: 'There is a network, but no way out of it',
  none: 'There is no network',
} as const;

/** Whether it can be told what this machine runs on. */
export async function power(patient: Patient): Promise<Check> {
  const { heard, io } = patient;
  const state =
    heard.kind === 'own' ? heard.status.conditions.power : (await measured(io, powerSysfs))?.state;
  if (state === undefined) return untold('power');
  if (state === 'unknown')
    return warn(
      'power',
      'It cannot be told what it runs on, so nothing is sent that waits for AC power.',
      'install UPower, or set upload.power = "any" in the policy',
    );
  return ok('power', `${POWER[state]}${waits(patient, ['on-battery', 'battery-saver'])}.`);
}

/** Whether it can be told which network this machine is on. */
export async function network(patient: Patient): Promise<Check> {
  const { heard, io } = patient;
  const kind =
    heard.kind === 'own' ? heard.status.conditions.network.kind : (await measured(io, networkSysfs))?.kind;
  if (kind === undefined) return untold('network');
  if (kind === 'unknown')
    return warn(
      'network',
      'It cannot be told which kind of network it is on, so nothing is sent.',
      'install NetworkManager, or make /sys/class/net readable',
    );
  const codes = ['no-network', 'not-wifi', 'metered', 'ssid-not-allowed', 'captive-portal'];
  return ok('network', `${NETWORK[kind]}${waits(patient, codes)}.`);
}

function untold(name: CheckName): Check {
  return skipped(name, 'Only a running daemon of one’s own tells it here.');
}

/** What the kernel's files say now; `undefined` where there are none. */
async function measured<Fact>(
  { around: { platform, env } }: CliIo,
  sourceAt: (root: SysfsRoot) => Source<Fact>,
): Promise<Fact | undefined> {
  if (platform !== 'linux') return undefined;
  const source = sourceAt(sysfsRoot(env));
  await source.start(() => undefined);
  const fact = source.current();
  await source.stop();
  return fact;
}

/** That uploads wait for it, where they do. */
function waits({ heard }: Patient, codes: readonly string[]): string {
  const blockers = heard.kind === 'own' ? heard.status.upload.blockers : [];
  const texts = blockers
    .filter(({ code }) => codes.includes(code))
    .map(({ text }) => text.replace(/\.$/, ''));
  return texts.length === 0 ? '' : `; uploads wait (${texts.join('; ')})`;
}
