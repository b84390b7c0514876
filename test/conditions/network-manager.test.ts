import { describe, expect, it } from 'vitest';
import { networkFromManager } from '../../src/conditions/network-manager.ts';
import type { Network } from '../../src/core/conditions.ts';
import { type Row, tableView } from './dbus/table-view.ts';

const NM = '/org/freedesktop/NetworkManager';
const NAME = 'org.freedesktop.NetworkManager';
const TYPES = {
  ethernet: 1,
  wifi: 2,
  bluetooth: 5,
  modem: 8,
  bond: 10,
  bridge: 13,
  tun: 16,
  odd: 14,
  wireguard: 29,
};
const METERED = { unknown: 0, yes: 1, no: 2, guessYes: 3, guessNo: 4 };

interface Desk {
  readonly devices?: Readonly<Record<string, Row | undefined>>;
  /** Devices of the primary connection; `null` for none. */
  readonly over?: readonly string[] | null;
  readonly manager?: Row;
  readonly primary?: Row;
  readonly ssid?: Uint8Array;
}

/** NetworkManager with these devices, of which `over` carry the default route. */
function desk({ devices = {}, over = Object.keys(devices), manager = {}, primary = {}, ssid }: Desk) {
  const path = (name: string): string => `${NM}/Devices/${name}`;
  const active = `${NM}/ActiveConnection/1`;
  const rows = Object.entries(devices).map(
    ([name, device]) => [`${path(name)} ${NAME}.Device`, device] as const,
  );
  return tableView({
    [`${NM} ${NAME}`]: {
      State: 70,
      Connectivity: 4,
      Metered: METERED.guessNo,
      PrimaryConnection: over === null ? '/' : active,
      Devices: Object.keys(devices).map(path),
      ...manager,
    },
    [`${active} ${NAME}.Connection.Active`]: {
      State: 2,
      Vpn: false,
      Devices: (over ?? []).map(path),
      SpecificObject: `${NM}/AccessPoint/1`,
      ...primary,
    },
    [`${NM}/AccessPoint/1 ${NAME}.AccessPoint`]: { Ssid: ssid ?? new TextEncoder().encode('Home') },
    ...Object.fromEntries(rows),
  });
}

function device(type: keyof typeof TYPES, metered: keyof typeof METERED = 'guessNo', more: Row = {}): Row {
  return {
    DeviceType: TYPES[type],
    Metered: METERED[metered],
    State: 100,
    Driver: 'driver',
    ActiveConnection: `${NM}/ActiveConnection/1`,
    ...more,
  };
}

const wifi = { wlan0: device('wifi') };
const WIFI: Network = { kind: 'wifi', metered: 'no', ssid: 'Home', isCaptivePortal: false };
const UNKNOWN: Network = { kind: 'unknown', metered: 'unknown', ssid: null, isCaptivePortal: false };
const METERED_WIFI: Network = { ...WIFI, metered: 'yes' };
const ETHERNET: Network = { ...WIFI, kind: 'ethernet', ssid: null };
const CELLULAR: Network = { ...ETHERNET, kind: 'cellular' };

const NETWORKS: readonly (readonly [string, Network, Desk])[] = [
  ['Wi-Fi', WIFI, { devices: wifi }],
  ['Wi-Fi that its owner calls metered', METERED_WIFI, { devices: { wlan0: device('wifi', 'yes') } }],
  ['a phone’s hotspot, guessed from DHCP', METERED_WIFI, { devices: { wlan0: device('wifi', 'guessYes') } }],
  [
    'the same where only the manager knows',
    METERED_WIFI,
    { devices: wifi, manager: { Metered: METERED.guessYes } },
  ],
  ['a dock', ETHERNET, { devices: { eth0: device('ethernet') } }],
  [
    'a dock beside Wi-Fi that does not carry',
    ETHERNET,
    { devices: { ...wifi, eth0: device('ethernet') }, over: ['eth0'] },
  ],
  ['a mobile modem', CELLULAR, { devices: { wwan0: device('modem') } }],
  ['a phone over Bluetooth', CELLULAR, { devices: { bt: device('bluetooth') } }],
  [
    'a phone over USB',
    CELLULAR,
    { devices: { usb0: device('ethernet', 'guessNo', { Driver: 'rndis_host' }) } },
  ],
  [
    'an iPhone over USB',
    CELLULAR,
    { devices: { usb0: device('ethernet', 'guessNo', { Driver: 'ipheth' }) } },
  ],
  ['a kind of device that is not known', { ...ETHERNET, kind: 'unknown' }, { devices: { x: device('odd') } }],
  [
    'WireGuard over metered Wi-Fi',
    METERED_WIFI,
    { devices: { wlan0: device('wifi', 'guessYes'), wg0: device('wireguard') }, over: ['wg0'] },
  ],
  [
    'a VPN whose connection names the Wi-Fi below',
    METERED_WIFI,
    { devices: { wlan0: device('wifi', 'yes') }, primary: { Vpn: true } },
  ],
  [
    'a VPN over Wi-Fi with a mobile modem also up',
    { ...CELLULAR },
    { devices: { ...wifi, wwan0: device('modem'), tun0: device('tun') }, over: ['tun0'] },
  ],
  [
    'a VPN over Wi-Fi beside a socket without a cable',
    WIFI,
    {
      devices: { ...wifi, eth0: device('ethernet', 'unknown', { State: 20 }), tun0: device('tun') },
      over: ['tun0'],
    },
  ],
  ['a VPN over nothing', UNKNOWN, { devices: { tun0: device('tun') } }],
  [
    'a bond of Wi-Fi and a dock',
    ETHERNET,
    { devices: { ...wifi, eth0: device('ethernet'), bond0: device('bond') }, over: ['bond0'] },
  ],
  [
    'a portal',
    { ...WIFI, isCaptivePortal: true },
    { devices: wifi, manager: { Connectivity: 2, State: 60 } },
  ],
  [
    'a portal that counts as the internet',
    { ...WIFI, isCaptivePortal: true },
    { devices: wifi, manager: { Connectivity: 2 } },
  ],
  [
    'Wi-Fi without the internet',
    { ...UNKNOWN, kind: 'local' },
    { devices: wifi, manager: { State: 60, Connectivity: 3 } },
  ],
  [
    'a link of this machine only',
    { ...UNKNOWN, kind: 'local' },
    { devices: wifi, manager: { State: 50, Connectivity: 1 } },
  ],
  ['no network', { ...UNKNOWN, kind: 'none' }, { over: null, manager: { State: 20 } }],
  ['a network that is being set up', { ...UNKNOWN, kind: 'none' }, { over: null, manager: { State: 40 } }],
  ['NetworkManager asleep', { ...UNKNOWN, kind: 'none' }, { over: null, manager: { State: 10 } }],
  ['a state that is not known', UNKNOWN, { devices: wifi, manager: { State: 0 } }],
  ['connected, and by nothing yet', UNKNOWN, { devices: wifi, over: null }],
  ['a connection that is being set up', UNKNOWN, { devices: wifi, primary: { State: 1 } }],
  ['a connection without a device yet', UNKNOWN, { devices: wifi, over: [] }],
  [
    'a device that is not metered nor unmetered yet',
    UNKNOWN,
    { devices: { wlan0: device('wifi', 'unknown') } },
  ],
  ['a device that has not been read', UNKNOWN, { devices: { wlan0: undefined } }],
  ['a network without a name', { ...WIFI, ssid: null }, { devices: wifi, primary: { SpecificObject: '/' } }],
  ['a name that is not text', { ...WIFI, ssid: null }, { devices: wifi, ssid: Uint8Array.of(0xff, 0xfe) }],
];

describe('network from NetworkManager', () => {
  it.each(NETWORKS)('sees %s', (_name, network, parts) => {
    expect(networkFromManager(desk(parts))).toEqual(network);
  });

  it('knows nothing of a manager that does not answer', () => {
    expect(networkFromManager(tableView({}))).toEqual(UNKNOWN);
    expect(networkFromManager(tableView({ [`${NM} ${NAME}`]: {} }))).toEqual(UNKNOWN);
  });
});
