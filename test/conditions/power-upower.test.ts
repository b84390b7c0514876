import { describe, expect, it } from 'vitest';
import { isSaverOn, powerFromUpower } from '../../src/conditions/power-upower.ts';
import type { PowerState } from '../../src/core/conditions.ts';
import { type Row, tableView } from './dbus/table-view.ts';

const UPOWER = '/org/freedesktop/UPower org.freedesktop.UPower';

/** UPower with these devices. */
function upower(onBattery: boolean, ...devices: readonly (Row | undefined)[]) {
  const paths = devices.map((_, i) => `/org/freedesktop/UPower/devices/${i}`);
  const rows = devices.map((device, i) => [`${paths[i]} org.freedesktop.UPower.Device`, device] as const);
  return tableView(
    { [UPOWER]: { OnBattery: onBattery }, ...Object.fromEntries(rows) },
    { [`${UPOWER} EnumerateDevices`]: paths },
  );
}

const STATES = {
  unknown: 0,
  charging: 1,
  discharging: 2,
  empty: 3,
  full: 4,
  pendingCharge: 5,
  pendingDischarge: 6,
};
type State = keyof typeof STATES;

const battery = (state: State, more: Row = {}): Row => ({
  Type: 2,
  PowerSupply: true,
  IsPresent: true,
  State: STATES[state],
  ...more,
});
const charger = (online: boolean): Row => ({ Type: 1, PowerSupply: true, Online: online });
const ups = (state: State): Row => ({ Type: 3, PowerSupply: true, State: STATES[state] });
const mouse: Row = { Type: 5, PowerSupply: false, State: STATES.discharging };

const MACHINES: readonly (readonly [string, PowerState, ReturnType<typeof upower>])[] = [
  ['a laptop on its charger', 'ac', upower(false, battery('charging'), charger(true))],
  ['a laptop on battery', 'battery', upower(true, battery('discharging'), charger(false))],
  ['a full laptop on its charger', 'ac', upower(false, battery('full'), charger(true))],
  [
    'an unplugged laptop whose battery is still full, which OnBattery misses',
    'battery',
    upower(false, battery('full'), charger(false)),
  ],
  ['a laptop held at its charge threshold', 'ac', upower(false, battery('pendingCharge'), charger(true))],
  ['the same where the battery says unknown', 'ac', upower(false, battery('unknown'), charger(true))],
  ['a charger too weak for the load', 'battery', upower(false, battery('discharging'), charger(true))],
  [
    'a laptop about to discharge on its charger',
    'battery',
    upower(false, battery('pendingDischarge'), charger(true)),
  ],
  [
    'a dock that powers the laptop over USB-C while its own socket is empty',
    'ac',
    upower(false, battery('charging'), charger(false), charger(true)),
  ],
  [
    'two batteries of which the second discharges',
    'battery',
    upower(false, battery('full'), battery('discharging'), charger(true)),
  ],
  [
    'two batteries on a charger, one idle',
    'ac',
    upower(false, battery('charging'), battery('pendingCharge'), charger(true)),
  ],
  [
    'an empty battery bay',
    'ac',
    upower(false, battery('charging'), battery('discharging', { IsPresent: false }), charger(true)),
  ],
  ['a desktop', 'ac', upower(false)],
  ['a desktop with a wireless mouse', 'ac', upower(false, mouse)],
  ['a desktop with mains and a mouse', 'ac', upower(false, charger(true), mouse)],
  ['a desktop on its UPS, which OnBattery may miss', 'battery', upower(false, ups('discharging'))],
  ['a desktop whose UPS charges', 'ac', upower(false, ups('charging'))],
  ['a desktop whose UPS is full', 'ac', upower(false, ups('full'))],
  ['a UPS that says nothing', 'unknown', upower(false, ups('unknown'))],
  [
    'a UPS beside an unplugged laptop',
    'battery',
    upower(false, battery('full'), charger(false), ups('full')),
  ],
  ['a battery and nothing that could charge it', 'unknown', upower(false, battery('full'))],
  ['an empty battery on a charger', 'unknown', upower(false, battery('empty'), charger(true))],
  ['a machine where only OnBattery knows', 'battery', upower(true, battery('charging'), charger(true))],
  [
    'a supply of a type that is not known',
    'unknown',
    upower(false, { Type: 0, PowerSupply: true }, charger(true)),
  ],
  [
    'a charger that does not say whether it is online',
    'unknown',
    upower(false, battery('full'), { Type: 1, PowerSupply: true }),
  ],
  ['a device that has not been read', 'unknown', upower(false, battery('charging'), undefined)],
  ['an UPower that has not answered', 'unknown', tableView({ [UPOWER]: undefined })],
  ['an UPower that cannot list its devices', 'unknown', tableView({ [UPOWER]: { OnBattery: false } })],
  [
    'an UPower without OnBattery',
    'unknown',
    tableView({ [UPOWER]: {} }, { [`${UPOWER} EnumerateDevices`]: [] }),
  ],
];

describe('power from UPower', () => {
  it.each(MACHINES)('takes %s for %s', (_name, state, view) => {
    expect(powerFromUpower(view)).toBe(state);
  });
});

describe('the battery saver', () => {
  const name = 'net.hadess.PowerProfiles';
  const key = `/net/hadess/PowerProfiles ${name}`;
  it.each([
    [true, { [key]: { ActiveProfile: 'power-saver' } }],
    [false, { [key]: { ActiveProfile: 'balanced' } }],
    [false, {}],
    [null, { [key]: undefined }],
  ])('is %s where the profiles are %j', (expected, objects) => {
    expect(isSaverOn(tableView(objects), name)).toBe(expected);
  });
});
