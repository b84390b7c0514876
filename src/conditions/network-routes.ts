/** Route flags (kernel: include/uapi/linux/route.h, ipv6_route.h). */
const RTF_UP = 0x1;
const RTF_REJECT = 0x200;

/** A VPN that leaves the old default route alone puts routes to halves or eighths of the world before it (`0/1`, `2000::/3`). */
const WIDEST_V4_MASKS = new Map([
  ['00000000', 0],
  ['00000080', 1],
]);
const WIDEST_V6_PREFIX_BITS = 3;

/** A route that takes traffic to anywhere, or to a large part of anywhere. */
interface WideRoute {
  readonly device: string;
  readonly prefixBits: number;
  readonly metric: number;
}

/**
 * The devices that carry traffic to the internet by `/proc/net/route` and `/proc/net/ipv6_route` (proc_net(5); kernel:
 * net/ipv4/fib_trie.c, net/ipv6/route.c). Per family the default routes of the lowest metric count, as the kernel
 * chooses them, and with them the wider-than-host routes that a VPN puts in front. `null`: that file does not exist.
 */
export function defaultRouteDevices(v4: string | null, v6: string | null): string[] {
  return [...new Set([...carriers(parseV4(v4 ?? '')), ...carriers(parseV6(v6 ?? ''))])];
}

function carriers(routes: readonly WideRoute[]): string[] {
  const defaults = routes.filter((route) => route.prefixBits === 0);
  const best = Math.min(...defaults.map((route) => route.metric));
  return [
    ...routes.filter((route) => route.prefixBits > 0),
    ...defaults.filter((route) => route.metric === best),
  ].map((route) => route.device);
}

/** Columns: Iface Destination Gateway Flags RefCnt Use Metric Mask …; addresses are hex in the machine's byte order. */
function parseV4(text: string): WideRoute[] {
  const routes: WideRoute[] = [];
  for (const line of text.split('\n').slice(1)) {
    const [device = '', destination = '', , flags = '', , , metric = '', mask = ''] = line
      .trim()
      .split(/\s+/);
    const prefixBits = WIDEST_V4_MASKS.get(mask);
    if (prefixBits === undefined || !isUsable(flags, device)) continue;
    if (prefixBits === 0 && destination !== '00000000') continue;
    routes.push({ device, prefixBits, metric: Number(metric) });
  }
  return routes;
}

/** Columns, all hex: destination, its prefix, source, its prefix, next hop, metric, refcnt, use, flags; then the device. */
function parseV6(text: string): WideRoute[] {
  const routes: WideRoute[] = [];
  for (const line of text.split('\n')) {
    const [destination = '', prefix = '', , , , metric = '', , , flags = '', device = ''] = line
      .trim()
      .split(/\s+/);
    const prefixBits = Number.parseInt(prefix, 16);
    // Multicast, ff00::/8, is longer than what counts here; a source-specific route is still a way out.
    if (destination.length !== 32 || !(prefixBits <= WIDEST_V6_PREFIX_BITS) || !isUsable(flags, device))
      continue;
    routes.push({ device, prefixBits, metric: Number.parseInt(metric, 16) });
  }
  return routes;
}

function isUsable(flagsHex: string, device: string): boolean {
  const flags = Number.parseInt(flagsHex, 16);
  return device !== '' && device !== 'lo' && (flags & RTF_UP) !== 0 && (flags & RTF_REJECT) === 0;
}
