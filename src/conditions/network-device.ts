import { existsSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readAttribute } from './sysfs-root.ts';

/** What one interface is. `behind`: it carries nothing itself but over these; `tunnel`: over whatever is there. */
export type Device =
  | { readonly kind: 'wifi' | 'ethernet' | 'cellular' | 'unknown' | 'loopback' | 'tunnel' }
  | { readonly kind: 'behind'; readonly lowers: readonly string[] };

/** ARP hardware types (kernel: include/uapi/linux/if_arp.h). */
const TYPE = { ethernet: '1', rawIp: '519', loopback: '772' } as const;
/** Tunnel types: ip-ip, ip6-ip6, sit, GRE, GRE over IPv6, and none (tun, WireGuard). */
const TUNNEL_TYPES: readonly string[] = ['768', '769', '776', '778', '823', '65534'];
/** Mobile modems, WiMAX, and a phone's network over Bluetooth. */
const CELLULAR_DEVTYPES: readonly string[] = ['wwan', 'wimax', 'bluetooth'];
/** USB tethering of Android and of iPhones looks like Ethernet in every way but its driver. */
const TETHERING_DRIVERS: readonly string[] = ['rndis_host', 'ipheth'];

/**
 * What kind of interface the folder `class/net/<name>` describes (kernel: Documentation/ABI/testing/sysfs-class-net).
 * PPP is `unknown`: a mobile modem and DSL look alike.
 */
export function readDevice(folder: string): Device {
  const type = readAttribute(folder, 'type');
  const devtype = devtypeOf(readAttribute(folder, 'uevent'));
  if (type === TYPE.loopback || basename(folder) === 'lo') return { kind: 'loopback' };
  if (existsSync(join(folder, 'phy80211')) || existsSync(join(folder, 'wireless')) || devtype === 'wlan') {
    return { kind: 'wifi' };
  }
  if (CELLULAR_DEVTYPES.includes(devtype) || type === TYPE.rawIp) return { kind: 'cellular' };
  if (TETHERING_DRIVERS.includes(driverOf(folder))) return { kind: 'cellular' };
  const lowers = lowersOf(folder);
  if (lowers.length > 0) return { kind: 'behind', lowers };
  if (TUNNEL_TYPES.includes(type ?? '') || existsSync(join(folder, 'tun_flags')) || isVirtual(folder)) {
    return { kind: 'tunnel' };
  }
  // Any other DEVTYPE (bridge, bond, vlan, wireguard, …) is a virtual one, of which a simulated folder shows no path.
  if (type === TYPE.ethernet)
    return devtype === '' || devtype === 'dsa' ? { kind: 'ethernet' } : { kind: 'tunnel' };
  return { kind: 'unknown' };
}

/**
 * Whether an interface can carry traffic now. Drivers that do not report it say `unknown`, and a missing file is no
 * better: both count as up, so that a doubtful interface closes the gate rather than being overlooked.
 */
export function isDeviceUp(folder: string): boolean {
  const state = readAttribute(folder, 'operstate');
  if (state === 'up') return true;
  const isTold = typeof state === 'string' && state !== 'unknown';
  return !isTold && readAttribute(folder, 'carrier') !== '0';
}

function devtypeOf(uevent: string | null | undefined): string {
  return /^DEVTYPE=(.*)$/m.exec(uevent ?? '')?.[1] ?? '';
}

function driverOf(folder: string): string {
  try {
    return basename(readlinkSync(join(folder, 'device/driver')));
  } catch {
    return ''; // a virtual interface has no driver
  }
}

/** Bridges list their ports, and everything stacked on others has a link `lower_<name>` for each. */
function lowersOf(folder: string): string[] {
  const lowers = entries(folder)
    .filter((name) => name.startsWith('lower_'))
    .map((name) => name.slice('lower_'.length));
  return [...new Set([...lowers, ...entries(join(folder, 'brif'))])];
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // not a bridge, or gone meanwhile: then its route is gone too
  }
}

function isVirtual(folder: string): boolean {
  try {
    return realpathSync(folder).includes('/devices/virtual/');
  } catch {
    return false; // gone meanwhile; its type could not be read either, which is unknown
  }
}
