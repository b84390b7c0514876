import { networkSysfs } from '../../conditions/network-sysfs.ts';
import { powerSysfs } from '../../conditions/power-sysfs.ts';
import { sysfsRoot } from '../../conditions/sysfs-root.ts';
import type { NetworkKind, PowerState, Source } from '../../core/conditions.ts';
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
  const state = await told<PowerState>(patient, 'power');
  if (state === null) return untold('power');
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
  const kind = await told<NetworkKind>(patient, 'network');
  if (kind === null) return untold('network');
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

/** What the daemon says; without one of ours, what the kernel's files say now. `null`: nobody to ask. */
async function told<Fact extends PowerState | NetworkKind>(
  { heard, io }: Patient,
  what: 'power' | 'network',
): Promise<Fact | null> {
  if (heard.kind === 'own') {
    const { conditions } = heard.status;
    return (what === 'power' ? conditions.power : conditions.network.kind) as Fact;
  }
  if (io.around.platform !== 'linux') return null;
  const root = sysfsRoot(io.around.env);
  if (what === 'power') return (await read(powerSysfs(root))).state as Fact;
  return (await read(networkSysfs(root))).kind as Fact;
}

async function read<Fact>(source: Source<Fact>): Promise<Fact> {
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
