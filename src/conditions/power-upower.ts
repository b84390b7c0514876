import type { PowerState } from '../core/conditions.ts';
import type { ServiceSpec, ServiceView } from './dbus/bus-service.ts';
import { flagOf, numberOf, type Properties, textOf, textsIn } from './dbus/values.ts';
import { powerState, type Supply } from './power-supplies.ts';

const NAME = 'org.freedesktop.UPower';
const PATH = '/org/freedesktop/UPower';
const DEVICE = 'org.freedesktop.UPower.Device';

/** upower(7). It tells of devices that come and go and of each change of one; a battery's level wakes us with it. */
export const UPOWER: ServiceSpec = {
  name: NAME,
  rules: [
    `path='${PATH}',interface='${NAME}'`,
    `path='${PATH}',member='PropertiesChanged'`,
    `path_namespace='${PATH}/devices',member='PropertiesChanged'`,
  ],
  isStarted: true,
  // Long enough for a package's upgrade to start it anew.
  absentAfterMs: 10_000,
  onSignal: 'keep',
};

/**
 * Power as UPower has it. `OnBattery` alone would fail open: it is false on an unplugged laptop whose battery is still
 * full, and on a desktop that runs on its UPS; so every supply must agree.
 */
export function powerFromUpower(view: ServiceView): PowerState {
  const manager = view.properties(PATH, NAME);
  const paths = view.result(PATH, NAME, 'EnumerateDevices');
  if (manager === undefined || manager === null || paths === undefined || paths === null) return 'unknown';
  const supplies: Supply[] = [];
  for (const path of textsIn(paths)) {
    const device = view.properties(path, DEVICE);
    if (device === undefined || device === null) return 'unknown';
    const supply = supplyOf(device);
    if (supply !== null) supplies.push(supply);
  }
  const state = powerState(supplies);
  const onBattery = flagOf(manager, 'OnBattery');
  if (onBattery === true) return 'battery';
  return onBattery === null ? 'unknown' : state;
}

/** Values of `Type` (UPower's up-types.h). */
const TYPE = { linePower: 1, battery: 2, ups: 3 } as const;
/** Values of `State`. `unknown` (0) is what a battery at its charge threshold may say; its charger then decides. */
const CHARGE: Readonly<Record<number, Supply['charge']>> = {
  0: 'steady',
  1: 'charging',
  2: 'discharging',
  4: 'steady',
  5: 'steady',
  6: 'discharging',
};

/** Charging, full, and about to charge. */
const UPS_FED: readonly (number | null)[] = [1, 4, 5];

function supplyOf(device: Properties): Supply | null {
  // A mouse, a headset or a phone reports its own battery.
  if (flagOf(device, 'PowerSupply') === false) return null;
  const type = numberOf(device, 'Type');
  const charge = CHARGE[numberOf(device, 'State') ?? -1] ?? 'unknown';
  const online = flagOf(device, 'Online');
  if (type === TYPE.linePower) {
    return {
      role: 'external',
      online: online === null ? 'unknown' : online ? 'yes' : 'no',
      charge: 'steady',
    };
  }
  if (type === TYPE.battery) {
    // An empty battery bay.
    return flagOf(device, 'IsPresent') === false ? null : { role: 'battery', online: 'absent', charge };
  }
  if (type === TYPE.ups) {
    // UPower gives a UPS no mains of its own: what says that it charges or is full is fed.
    return { role: 'ups', online: UPS_FED.includes(numberOf(device, 'State')) ? 'yes' : 'unknown', charge };
  }
  return { role: 'unknown', online: 'unknown', charge };
}

/** power-profiles-daemon under its name of today and under that of before version 0.20. */
export const POWER_PROFILES: readonly ServiceSpec[] = [
  profiles('org.freedesktop.UPower.PowerProfiles', '/org/freedesktop/UPower/PowerProfiles'),
  profiles('net.hadess.PowerProfiles', '/net/hadess/PowerProfiles'),
];

function profiles(name: string, path: string): ServiceSpec {
  const rules = [`path='${path}',member='PropertiesChanged'`];
  return { name, rules, isStarted: false, absentAfterMs: 0, onSignal: 'keep' };
}

/** Whether the battery saver is on; `null` while that is not known. Its path is its name with slashes. */
export function isSaverOn(view: ServiceView, name: string): boolean | null {
  const properties = view.properties(`/${name.replaceAll('.', '/')}`, name);
  if (properties === undefined) return null;
  return properties !== null && textOf(properties, 'ActiveProfile') === 'power-saver';
}
