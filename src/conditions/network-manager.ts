import type { Network, NetworkKind } from '../core/conditions.ts';
import type { ServiceSpec, ServiceView } from './dbus/bus-service.ts';
import { flagOf, numberOf, type Properties, textOf, textsIn } from './dbus/values.ts';

const NAME = 'org.freedesktop.NetworkManager';
const PATH = '/org/freedesktop/NetworkManager';
const ACTIVE = `${NAME}.Connection.Active`;
const DEVICE = `${NAME}.Device`;
const ACCESS_POINT = `${NAME}.AccessPoint`;

/**
 * NetworkManager's own signals, and not those of `Device.Wireless` and `AccessPoint`, which tell of every change of
 * speed and strength: some a second. A network's name cannot change without its connection changing.
 */
export const NETWORK_MANAGER: ServiceSpec = {
  name: NAME,
  rules: [
    `path='${PATH}',member='PropertiesChanged'`,
    `path_namespace='${PATH}/ActiveConnection',member='PropertiesChanged'`,
    `path_namespace='${PATH}/Devices',member='PropertiesChanged',arg0='${DEVICE}'`,
  ],
  isStarted: false,
  absentAfterMs: 10_000,
  onSignal: 'keep',
};

/** What is said while nothing can be said. */
export const UNKNOWN_NETWORK: Network = {
  kind: 'unknown',
  metered: 'unknown',
  ssid: null,
  isCaptivePortal: false,
};

/** Values of NetworkManager's D-Bus interface (nm-dbus-types). */
const STATE = { connecting: 40, connectedLocal: 50, connectedSite: 60, connectedGlobal: 70 } as const;
const CONNECTIVITY_PORTAL = 2;
const ACTIVATED = { connection: 2, device: 100 } as const;
/** `Metered`: 1 yes, 3 guessed from what a phone's DHCP says. 0 is a device that is not set up yet. */
const METERED = { unknown: 0, yes: [1, 3] } as const;

/** Network as NetworkManager has it; `unknown` while its parts do not fit together, as they do for moments on each change. */
export function networkFromManager(view: ServiceView): Network {
  const manager = view.properties(PATH, NAME);
  if (manager === undefined || manager === null) return UNKNOWN_NETWORK;
  const state = numberOf(manager, 'State') ?? 0;
  const isCaptivePortal = numberOf(manager, 'Connectivity') === CONNECTIVITY_PORTAL;
  const isConnected = state === STATE.connectedGlobal || (isCaptivePortal && state === STATE.connectedSite);
  if (!isConnected) return { ...UNKNOWN_NETWORK, kind: kindOfState(state) };

  const carriers = carriersOf(view, manager);
  if (carriers === null || carriers.length === 0) return UNKNOWN_NETWORK;
  const meters = [...carriers.map(({ metered }) => metered), numberOf(manager, 'Metered') ?? 0];
  if (meters.includes(METERED.unknown)) return UNKNOWN_NETWORK;
  const kinds = carriers.map(({ kind }) => kind);
  const [only, ...others] = carriers;
  return {
    kind: WORST_FIRST.find((kind) => kinds.includes(kind)) ?? 'unknown',
    metered: meters.some((meter) => METERED.yes.some((yes) => yes === meter)) ? 'yes' : 'no',
    ssid: only === undefined || others.length > 0 ? null : ssidOf(view, only.device),
    isCaptivePortal,
  };
}

function kindOfState(state: number): NetworkKind {
  if (state === STATE.connectedLocal || state === STATE.connectedSite) return 'local';
  return state > 0 && state <= STATE.connecting ? 'none' : 'unknown';
}

interface Carrier {
  readonly kind: CarrierKind;
  readonly metered: number;
  readonly device: Properties;
}

type CarrierKind = 'wifi' | 'ethernet' | 'cellular' | 'unknown';
/** Of several that may carry the traffic, the one that a person would mind most counts. */
const WORST_FIRST: readonly CarrierKind[] = ['cellular', 'unknown', 'ethernet', 'wifi'];

/**
 * The physical devices that carry the default route; `null` while they are not known. Of a tunnel, a bridge or a bond any
 * active physical device may be the one below.
 */
function carriersOf(view: ServiceView, manager: Properties): Carrier[] | null {
  const primary = view.properties(textOf(manager, 'PrimaryConnection') ?? '/', ACTIVE);
  if (primary === undefined || primary === null) return null;
  if (numberOf(primary, 'State') !== ACTIVATED.connection) return null;
  const own = devicesOf(view, textsIn(primary.get('Devices')));
  if (own === null) return null;
  const isPhysical = flagOf(primary, 'Vpn') === false && own.every((device) => kindOf(device) !== 'virtual');
  const devices = isPhysical ? own : devicesOf(view, textsIn(manager.get('Devices')));
  const active = devices?.filter((device) => numberOf(device, 'State') === ACTIVATED.device);
  return (
    active?.flatMap((device): Carrier[] => {
      const kind = kindOf(device);
      if (kind === 'virtual') return [];
      return [{ kind, metered: numberOf(device, 'Metered') ?? 0, device }];
    }) ?? null
  );
}

function devicesOf(view: ServiceView, paths: readonly string[]): Properties[] | null {
  const devices: Properties[] = [];
  for (const path of paths) {
    const device = view.properties(path, DEVICE);
    if (device === undefined || device === null) return null;
    devices.push(device);
  }
  return devices;
}

/** Values of `DeviceType`. Bluetooth is a phone's network; what is left out is `unknown`. */
const KINDS: Readonly<Record<number, CarrierKind | 'virtual'>> = {
  1: 'ethernet',
  2: 'wifi',
  5: 'cellular',
  7: 'cellular',
  8: 'cellular',
  10: 'virtual', // bond
  11: 'virtual', // VLAN
  13: 'virtual', // bridge
  15: 'virtual', // team
  16: 'virtual', // tun
  17: 'virtual', // IP tunnel
  18: 'virtual', // MACVLAN
  19: 'virtual', // VXLAN
  20: 'virtual', // veth
  21: 'virtual', // MACsec
  22: 'virtual', // dummy
  29: 'virtual', // WireGuard
  31: 'virtual', // VRF
  32: 'virtual', // loopback
};
/** USB tethering of Android and of iPhones looks like Ethernet in every way but its driver. */
const TETHERING_DRIVERS: readonly (string | null)[] = ['rndis_host', 'ipheth'];

function kindOf(device: Properties): CarrierKind | 'virtual' {
  if (TETHERING_DRIVERS.includes(textOf(device, 'Driver'))) return 'cellular';
  return KINDS[numberOf(device, 'DeviceType') ?? -1] ?? 'unknown';
}

/** The name of a Wi-Fi network; `null` for other devices, and when it is not text or not known. */
function ssidOf(view: ServiceView, device: Properties): string | null {
  if (kindOf(device) !== 'wifi') return null;
  const connection = view.properties(textOf(device, 'ActiveConnection') ?? '/', ACTIVE);
  if (connection === undefined || connection === null) return null;
  const accessPoint = view.properties(textOf(connection, 'SpecificObject') ?? '/', ACCESS_POINT);
  const ssid = accessPoint?.get('Ssid');
  if (!(ssid instanceof Uint8Array)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(ssid);
  } catch {
    return null;
  }
}
