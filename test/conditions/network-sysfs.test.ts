import { appendFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { networkSysfs } from '../../src/conditions/network-sysfs.ts';
import { sysfsRoot } from '../../src/conditions/sysfs-root.ts';
import type { NetworkKind } from '../../src/core/conditions.ts';
import { addFiles, device, type MachineFiles, makeMachine } from './machine-folder.ts';

const removals: (() => unknown)[] = [];
afterEach(async () => {
  for (const remove of removals.splice(0)) await remove();
});

function machine(files: MachineFiles): string {
  const { root, remove } = makeMachine(files);
  removals.push(remove);
  return root;
}

async function started(root: string, changed: () => void = () => undefined) {
  const source = networkSysfs(sysfsRoot({ TELEMETRYD_SYSFS_ROOT: root }));
  removals.push(() => source.stop());
  await source.start(changed);
  return source;
}

const lo = device('lo', { type: '772', operstate: 'unknown' });
const ethernet = (name: string, operstate = 'up') => device(name, { operstate });
const wifi = (name: string, operstate = 'up') => device(name, { operstate, phy80211: null });
const tunnel = (name: string) => device(name, { type: '65534', operstate: 'unknown', tun_flags: '0x1001' });
const modem = (name: string) => device(name, { uevent: `DEVTYPE=wwan\nINTERFACE=${name}` });

const V4_HEAD = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT';
/** `/proc/net/route` with default routes; a `/` in front of the metric makes the two halves a VPN uses. */
function v4(...routes: readonly (readonly [string, number | 'halves'])[]): MachineFiles {
  const lines = routes.flatMap(([name, metric]) =>
    metric === 'halves'
      ? [
          `${name}\t00000000\t0100080A\t0003\t0\t0\t0\t00000080`,
          `${name}\t00000080\t0100080A\t0003\t0\t0\t0\t00000080`,
        ]
      : [`${name}\t00000000\t0102A8C0\t0003\t0\t0\t${metric}\t00000000`],
  );
  const local = 'eth9\t0002A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF';
  return { 'proc/net/route': [V4_HEAD, local, ...lines].join('\n') };
}

const ZERO = '0'.repeat(32);
function v6(...routes: readonly (readonly [string, string, string])[]): MachineFiles {
  const lines = routes.map(
    ([name, metric, flags]) => `${ZERO} 00 ${ZERO} 00 ${ZERO} ${metric} 00000002 00000000 ${flags} ${name}`,
  );
  const own = `fe800000000000000000000000000000 40 ${ZERO} 00 ${ZERO} 00000100 00000002 00000000 00000001 eth9`;
  return { 'proc/net/ipv6_route': [own, ...lines].join('\n') };
}

const MACHINES: readonly (readonly [string, NetworkKind, MachineFiles])[] = [
  ['Wi-Fi by its phy', 'wifi', { ...lo, ...wifi('wlan0'), ...v4(['wlan0', 600]) }],
  [
    'Wi-Fi by the older folder',
    'wifi',
    { ...lo, ...device('wlp2s0', { wireless: null }), ...v4(['wlp2s0', 600]) },
  ],
  ['Wi-Fi by its uevent', 'wifi', { ...lo, ...device('wl', { uevent: 'DEVTYPE=wlan' }), ...v4(['wl', 600]) }],
  ['Ethernet', 'ethernet', { ...lo, ...ethernet('eth0'), ...v4(['eth0', 100]) }],
  [
    'an interface named like Wi-Fi that is not',
    'ethernet',
    { ...lo, ...ethernet('wlan0'), ...v4(['wlan0', 100]) },
  ],
  ['a mobile modem', 'cellular', { ...lo, ...modem('wwan0'), ...v4(['wwan0', 700]) }],
  [
    'a modem without Ethernet framing',
    'cellular',
    { ...lo, ...device('m0', { type: '519' }), ...v4(['m0', 700]) },
  ],
  [
    'a phone that tethers over USB',
    'cellular',
    {
      ...lo,
      ...device('usb0', { 'device/driver': '-> ../../../bus/usb/drivers/rndis_host' }),
      ...v4(['usb0', 100]),
    },
  ],
  [
    'an iPhone on a cable',
    'cellular',
    {
      ...lo,
      ...device('eth1', { 'device/driver': '-> ../../../bus/usb/drivers/ipheth' }),
      ...v4(['eth1', 100]),
    },
  ],
  [
    'a USB dock',
    'ethernet',
    {
      ...lo,
      ...device('eth1', { 'device/driver': '-> ../../../bus/usb/drivers/r8152' }),
      ...v4(['eth1', 100]),
    },
  ],
  [
    'a phone over Bluetooth',
    'cellular',
    { ...lo, ...device('bnep0', { uevent: 'DEVTYPE=bluetooth' }), ...v4(['bnep0', 1]) },
  ],
  [
    'a laptop in a dock, Wi-Fi still on',
    'ethernet',
    { ...ethernet('e'), ...wifi('w'), ...v4(['e', 100], ['w', 600]) },
  ],
  [
    'Wi-Fi preferred to a modem that is on',
    'wifi',
    { ...modem('m'), ...wifi('w'), ...v4(['w', 600], ['m', 700]) },
  ],
  [
    'a modem that shares the metric with Wi-Fi',
    'cellular',
    { ...modem('m'), ...wifi('w'), ...v4(['w', 600], ['m', 600]) },
  ],
  [
    'a dock for IPv4 and Wi-Fi for IPv6',
    'ethernet',
    { ...ethernet('e'), ...wifi('w'), ...v4(['e', 100]), ...v6(['w', '00000258', '00000003']) },
  ],
  ['Wi-Fi with IPv6 only', 'wifi', { ...lo, ...wifi('w'), ...v4(), ...v6(['w', '00000258', '00000003']) }],
  [
    'the kernel’s rejecting route is none',
    'local',
    { ...lo, ...ethernet('e'), ...v4(), ...v6(['lo', 'ffffffff', '00200200']) },
  ],
  ['a LAN without a way out', 'local', { ...lo, ...ethernet('e'), ...v4() }],
  ['nothing but loopback', 'none', { ...lo, ...v4() }],
  ['nothing but loopback and no routing table', 'none', lo],
  ['Wi-Fi that is down', 'none', { ...lo, ...wifi('w', 'down'), ...v4(['w', 600]) }],
  ['Wi-Fi that waits for its password', 'none', { ...lo, ...wifi('w', 'dormant'), ...v4(['w', 600]) }],
  [
    'a tunnel over Wi-Fi',
    'wifi',
    { ...lo, ...tunnel('tun0'), ...wifi('w'), ...v4(['tun0', 50], ['w', 600]) },
  ],
  ['a tunnel over a modem', 'cellular', { ...lo, ...tunnel('tun0'), ...modem('m'), ...v4(['tun0', 50]) }],
  [
    'a VPN that adds the two halves, over a dock',
    'ethernet',
    { ...tunnel('tun0'), ...ethernet('e'), ...v4(['tun0', 'halves'], ['e', 100]) },
  ],
  [
    'WireGuard with Wi-Fi and Ethernet up',
    'ethernet',
    {
      ...device('wg0', { type: '65534', uevent: 'DEVTYPE=wireguard' }),
      ...wifi('w'),
      ...ethernet('e'),
      ...v4(['wg0', 0]),
    },
  ],
  ['a tunnel over nothing to be seen', 'unknown', { ...lo, ...tunnel('tun0'), ...v4(['tun0', 50]) }],
  [
    'a bridge over Ethernet beside Wi-Fi',
    'ethernet',
    {
      ...device('br0', { uevent: 'DEVTYPE=bridge', 'brif/eth0': null, lower_eth0: null }),
      ...ethernet('eth0'),
      ...wifi('w'),
      ...v4(['br0', 100]),
    },
  ],
  [
    'a bond of Ethernet and Wi-Fi with Ethernet down',
    'wifi',
    {
      ...device('bond0', { uevent: 'DEVTYPE=bond', lower_eth0: null, lower_wlan0: null }),
      ...ethernet('eth0', 'down'),
      ...wifi('wlan0'),
      ...v4(['bond0', 100]),
      'class/net/bonding_masters': 'bond0',
    },
  ],
  [
    'a VLAN on a bridge on Wi-Fi',
    'wifi',
    {
      ...device('br0.7', { uevent: 'DEVTYPE=vlan', lower_br0: null }),
      ...device('br0', { uevent: 'DEVTYPE=bridge', lower_w: null }),
      ...wifi('w'),
      ...v4(['br0.7', 100]),
    },
  ],
  [
    'bridges stacked in a circle',
    'unknown',
    { ...device('a', { lower_b: null }), ...device('b', { lower_a: null }), ...v4(['a', 1]) },
  ],
  [
    'the inside of a container',
    'unknown',
    {
      ...lo,
      'devices/virtual/net/eth0/type': '1',
      'devices/virtual/net/eth0/operstate': 'up',
      ...veth(),
      ...v4(['eth0', 0]),
    },
  ],
  ['dial-up or DSL, which look alike', 'unknown', { ...device('ppp0', { type: '512' }), ...v4(['ppp0', 0]) }],
  ['a route over an interface that is not there', 'unknown', { ...lo, ...v4(['ghost0', 0]) }],
  [
    'an interface whose type is missing',
    'unknown',
    { ...lo, 'class/net/x/operstate': 'up', ...v4(['x', 0]) },
  ],
  [
    'an interface that does not say whether it is up',
    'wifi',
    { ...lo, ...wifi('w', 'unknown'), ...v4(['w', 0]) },
  ],
  ['a routing table that cannot be read', 'unknown', { ...lo, ...wifi('w'), 'proc/net/route': null }],
  [
    'without routing tables: Wi-Fi up, Ethernet down',
    'wifi',
    { ...lo, ...wifi('w'), ...ethernet('e', 'down') },
  ],
  ['without routing tables: both up', 'ethernet', { ...lo, ...wifi('w'), ...ethernet('e') }],
  ['without routing tables: a modem beside', 'cellular', { ...lo, ...wifi('w'), ...modem('m') }],
  ['a machine without its network folder', 'unknown', { 'class/power_supply': null }],
];

function veth(): MachineFiles {
  return { 'class/net/eth0': '-> ../../devices/virtual/net/eth0' };
}

describe('network from sysfs', () => {
  it.each(MACHINES)('takes %s for %s', async (_name, kind, files) => {
    const source = await started(machine(files));
    expect(source.current()).toEqual({ kind, metered: 'unknown', ssid: null, isCaptivePortal: false });
  });

  it('does not know anything without a sysfs', async () => {
    expect((await started(join(tmpdir(), 'no-such-machine'))).current().kind).toBe('unknown');
  });

  it('does not know the way out of a real machine without routing tables', async () => {
    const root = machine({ ...lo, ...wifi('w') });
    const source = networkSysfs({ sysfs: root, procNet: join(root, 'proc/net'), isSimulated: false });
    await source.start(() => undefined);
    expect(source.current().kind).toBe('unknown');
    await source.stop();
  });

  it('sees at once when a simulated machine changes from Ethernet to Wi-Fi', async () => {
    const root = machine({ ...lo, ...ethernet('eth0'), ...wifi('wlan0', 'down') });
    const changed = vi.fn();
    const source = await started(root, changed);
    expect(source.current().kind).toBe('ethernet');
    addFiles(root, { 'class/net/wlan0/operstate': 'up', 'class/net/eth0/operstate': 'down' });
    await vi.waitFor(() => expect(source.current().kind).toBe('wifi'), { timeout: 1000, interval: 5 });
    expect(changed).toHaveBeenCalled();
  });

  it('sees a default route that appears', async () => {
    const root = machine({ ...lo, ...wifi('wlan0'), ...v4() });
    const source = await started(root);
    expect(source.current().kind).toBe('local');
    appendFileSync(join(root, 'proc/net/route'), 'wlan0\t00000000\t0102A8C0\t0003\t0\t0\t600\t00000000\n');
    await vi.waitFor(() => expect(source.current().kind).toBe('wifi'), { timeout: 1000, interval: 5 });
  });

  it('reads this machine without failing', async () => {
    const source = networkSysfs(sysfsRoot({}));
    await source.start(() => undefined);
    expect(source.current().ssid).toBeNull();
    await source.stop();
  });
});
