import type { Network, NetworkKind } from '../core/conditions.ts';

/** What the programs printed; `null` when one could not be run. */
export interface NetworkOutputs {
  /** `route -n get default` */
  readonly route: string | null;
  /** `networksetup -listallhardwareports` */
  readonly ports: string | null;
  /** `scutil --nwi` */
  readonly reachability: string | null;
}

/**
 * Network from `route`, `networksetup` and `scutil` (their manual pages). No program tells whether a network is metered or
 * wants a sign-in; a hotspot is recognised by its gateway. Which Wi-Fi it is, macOS tells only to programs with access to
 * the person's location, so that `upload.ssids` closes the gate here.
 */
export function networkFromMacos({ route, ports, reachability }: NetworkOutputs): Network {
  const unknown: Network = { kind: 'unknown', metered: 'unknown', ssid: null, isCaptivePortal: false };
  if (route === null || ports === null) return unknown;
  const device = /^\s*interface: (\S+)/m.exec(route)?.[1];
  if (device === undefined) return { ...unknown, kind: /not in table/.test(route) ? 'none' : 'unknown' };
  const kinds = portKinds(ports);
  const own = kinds.get(device);
  // A tunnel (utun, ipsec, ppp): any interface that is up may be the one below.
  const carriers =
    own === undefined ? devicesUp(reachability ?? '').filter((name) => kinds.has(name)) : [device];
  const found = carriers.map((name) => kinds.get(name) ?? 'unknown');
  return {
    ...unknown,
    kind: WORST_FIRST.find((kind) => found.includes(kind)) ?? 'unknown',
    metered: HOTSPOTS.test(route) ? 'yes' : 'unknown',
  };
}

const WORST_FIRST: readonly NetworkKind[] = ['cellular', 'unknown', 'ethernet', 'wifi'];

/** The gateways of an iPhone (172.20.10.1) and of Android before version 11, and of the latter over USB. */
const HOTSPOTS = /^\s*gateway: (?:172\.20\.10\.1|192\.168\.43\.1|192\.168\.42\.129)\s*$/m;

/** The kind of each device that has a hardware port. */
function portKinds(ports: string): Map<string, NetworkKind> {
  const found = ports.matchAll(/^Hardware Port: (.+)\nDevice: (\S+)/gm);
  return new Map([...found].map(([, port = '', device = '']) => [device, kindOfPort(port)]));
}

function kindOfPort(port: string): NetworkKind {
  if (port === 'Wi-Fi' || port === 'AirPort') return 'wifi';
  if (/iPhone|iPad|Bluetooth|Modem|WWAN|RNDIS|Android/i.test(port)) return 'cellular';
  return /Ethernet|LAN|Thunderbolt/i.test(port) ? 'ethernet' : 'unknown';
}

/** `Network interfaces: en0 utun3`, the interfaces that are in use. */
function devicesUp(reachability: string): string[] {
  return /^Network interfaces: (.*)$/m.exec(reachability)?.[1]?.split(/\s+/) ?? [];
}
