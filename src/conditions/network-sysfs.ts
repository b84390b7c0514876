import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Network, NetworkKind, NetworkSource } from '../core/conditions.ts';
import { isDeviceUp, readDevice } from './network-device.ts';
import { defaultRouteDevices } from './network-routes.ts';
import { readAttribute, type SysfsRoot } from './sysfs-root.ts';
import { type Reading, SysfsSource } from './sysfs-source.ts';

/**
 * Network from `class/net` and the routing tables: the kind of the physical interface that carries the default route,
 * also when that is a tunnel, bridge or bond over it. Where several carry it (Wi-Fi for IPv6 beside a dock's Ethernet
 * for IPv4), the one a person would mind most counts: cellular, then unknown, then Ethernet, then Wi-Fi.
 *
 * sysfs cannot tell whether a network is metered (`unknown`), which Wi-Fi it is (`null`: closes the gate when the
 * policy names some), or whether it wants a sign-in first.
 */
export function networkSysfs(root: SysfsRoot): NetworkSource {
  return new SysfsSource<Network>(network('unknown'), () => readNetwork(root), root.isSimulated);
}

function network(kind: NetworkKind): Network {
  return { kind, metered: 'unknown', ssid: null, isCaptivePortal: false };
}

type CarrierKind = 'wifi' | 'ethernet' | 'cellular' | 'unknown';
const WORST_FIRST: readonly CarrierKind[] = ['cellular', 'unknown', 'ethernet', 'wifi'];
/** VLAN on bond on bridge is three; deeper than this it is a loop. */
const MAX_STACKED = 8;

function readNetwork(root: SysfsRoot): Reading<Network> {
  const folder = join(root.sysfs, 'class/net');
  const names = list(folder);
  const above = [root.sysfs, join(root.sysfs, 'class'), folder, root.procNet];
  const folders = [...above, ...names.map((name) => join(folder, name))];
  return { fact: network(kindOf(root, folder, names)), folders };
}

function kindOf(root: SysfsRoot, folder: string, names: readonly string[]): NetworkKind {
  // Even a machine without a network has its loopback interface: an empty list is a sysfs that is not there.
  if (names.length === 0) return 'unknown';
  // Reading every interface takes most of a millisecond, and a machine with one default route does not need it.
  const physical = (): string[] => names.filter((name) => isPhysicalAndUp(join(folder, name)));
  const routed = routedDevices(root);
  if (routed === undefined) return 'unknown';
  const carriers = (routed ?? physical()).filter((name) => !isDown(folder, name));
  if (carriers.length === 0) return routed?.length === 0 && physical().length > 0 ? 'local' : 'none';
  const kinds = new Set(carriers.flatMap((name) => [...kindsBehind(folder, name, physical, 0)]));
  return WORST_FIRST.find((kind) => kinds.has(kind)) ?? 'unknown';
}

/** Devices with a default route; `null` when a simulated machine has no routing tables, `undefined` when unreadable. */
function routedDevices(root: SysfsRoot): string[] | null | undefined {
  const v4 = readAttribute(root.procNet, 'route');
  const v6 = readAttribute(root.procNet, 'ipv6_route');
  if (v4 === null && v6 === null) return root.isSimulated ? null : undefined;
  // A kernel without IPv6 has no such file; one that cannot be read hides a way out.
  return v4 === undefined || v6 === undefined ? undefined : defaultRouteDevices(v4, v6);
}

function isPhysicalAndUp(folder: string): boolean {
  const { kind } = readDevice(folder);
  return kind !== 'loopback' && kind !== 'tunnel' && kind !== 'behind' && isDeviceUp(folder);
}

/** A route over an interface that sysfs does not show is not down: it is not known. */
function isDown(folder: string, name: string): boolean {
  return existsSync(join(folder, name)) && !isDeviceUp(join(folder, name));
}

/** The kinds of what carries an interface's traffic in the end. */
function kindsBehind(
  folder: string,
  name: string,
  physical: () => string[],
  depth: number,
): Set<CarrierKind> {
  const device = readDevice(join(folder, name));
  switch (device.kind) {
    case 'wifi':
    case 'ethernet':
    case 'cellular':
    case 'unknown':
      return new Set([device.kind]);
    case 'loopback':
      return new Set(['unknown']);
    case 'behind':
      return kindsOf(device.lowers.filter((lower) => !isDown(folder, lower)));
    case 'tunnel':
      // What a tunnel runs over is not in sysfs: any interface that is up may be it.
      return kindsOf(physical());
  }

  function kindsOf(below: readonly string[]): Set<CarrierKind> {
    if (below.length === 0 || depth === MAX_STACKED) return new Set(['unknown']);
    return new Set(below.flatMap((lower) => [...kindsBehind(folder, lower, physical, depth + 1)]));
  }
}

function list(folder: string): string[] {
  try {
    // Among the interfaces, which are links or folders, lies a plain file of the bonding driver.
    const found = readdirSync(folder, { withFileTypes: true }).filter((entry) => !entry.isFile());
    return found.map((entry) => entry.name).sort();
  } catch {
    return []; // counts as a sysfs that is not there
  }
}
