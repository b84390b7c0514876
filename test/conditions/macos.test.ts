import { describe, expect, it, vi } from 'vitest';
import { networkFromMacos } from '../../src/conditions/macos-network.ts';
import { powerFromPmset } from '../../src/conditions/macos-power.ts';
import { macosSources } from '../../src/conditions/macos-source-node.ts';
import type { NetworkKind, PowerState } from '../../src/core/conditions.ts';

const batt = (source: string, ...batteries: readonly string[]): string =>
  [
    `Now drawing from '${source}'`,
    ...batteries.map((text) => ` -InternalBattery-0 (id=22282339)\t${text}`),
    '',
  ].join('\n');
const settings = (lowPower: number): string =>
  `System-wide power settings:\nCurrently in use:\n standby              1\n lowpowermode         ${lowPower}\n womp                 1\n`;

const POWER: readonly (readonly [string, PowerState, string | null])[] = [
  ['a MacBook that charges', 'ac', batt('AC Power', '84%; charging; 0:55 remaining present: true')],
  ['a full one', 'ac', batt('AC Power', '100%; charged; 0:00 remaining present: true')],
  ['one held at 80 %', 'ac', batt('AC Power', '80%; AC attached; not charging present: true')],
  ['one about to be full', 'ac', batt('AC Power', '99%; finishing charge; 0:10 remaining present: true')],
  ['one on battery', 'battery', batt('Battery Power', '84%; discharging; 4:12 remaining present: true')],
  ['one just unplugged', 'battery', batt('Battery Power', '84%; discharging; (no estimate) present: true')],
  ['a charger too weak', 'battery', batt('AC Power', '80%; discharging; 9:02 remaining present: true')],
  ['an iMac', 'ac', batt('AC Power')],
  ['an iMac on its UPS', 'battery', batt('UPS Power', '90%; discharging; 0:20 remaining present: true')],
  ['a source of another name', 'unknown', batt('Off Line')],
  ['another output', 'unknown', 'pmset: error\n'],
  ['no pmset', 'unknown', null],
];

describe('power of a Mac', () => {
  it.each(POWER)('takes %s for %s', (_name, state, batteries) => {
    expect(powerFromPmset({ batteries, settings: settings(0) })).toEqual({ state, isSaver: false });
  });

  it('knows Low Power Mode', () => {
    const batteries = batt('AC Power', '100%; charged; 0:00 remaining present: true');
    expect(powerFromPmset({ batteries, settings: settings(1) })).toEqual({ state: 'ac', isSaver: true });
  });
});

const PORTS = [
  ['Ethernet Adapter (en4)', 'en4'],
  ['USB 10/100/1000 LAN', 'en7'],
  ['Thunderbolt Bridge', 'bridge0'],
  ['Wi-Fi', 'en0'],
  ['iPhone USB', 'en9'],
  ['Bluetooth PAN', 'en8'],
  ['Quantum Link', 'en11'],
]
  .map(
    ([port, device]) => `\nHardware Port: ${port}\nDevice: ${device}\nEthernet Address: 3c:22:fb:00:00:01\n`,
  )
  .join('');
const route = (device: string, gateway = '192.168.1.1'): string =>
  `   route to: default\ndestination: default\n       mask: default\n    gateway: ${gateway}\n  interface: ${device}\n      flags: <UP,GATEWAY,DONE,STATIC,PRCLONING,GLOBAL>\n`;
const nwi = (devices: string): string =>
  `Network information\n\nIPv4 network interface information\n     en0 : flags      : 0x5 (IPv4,DNS)\n\n   REACH : flags 0x00000002 (Reachable)\n\nNetwork interfaces: ${devices}\n`;

const NETWORKS: readonly (readonly [string, NetworkKind, 'yes' | 'unknown', string | null, string])[] = [
  ['Wi-Fi', 'wifi', 'unknown', route('en0'), nwi('en0')],
  ['a dock', 'ethernet', 'unknown', route('en7'), nwi('en7 en0')],
  ['an iPhone over USB', 'cellular', 'yes', route('en9', '172.20.10.1'), nwi('en9')],
  ['an iPhone’s hotspot', 'wifi', 'yes', route('en0', '172.20.10.1'), nwi('en0')],
  ['an Android phone’s hotspot', 'wifi', 'yes', route('en0', '192.168.43.1'), nwi('en0')],
  ['a phone over Bluetooth', 'cellular', 'unknown', route('en8'), nwi('en8')],
  ['a VPN over Wi-Fi', 'wifi', 'unknown', route('utun3', '10.8.0.1'), nwi('en0 utun3')],
  ['a VPN with a dock and Wi-Fi up', 'ethernet', 'unknown', route('utun3'), nwi('en0 en7 utun3')],
  ['a VPN over nothing', 'unknown', 'unknown', route('utun3'), nwi('utun3')],
  ['a port that is not known', 'unknown', 'unknown', route('en11'), nwi('en11')],
  ['no network', 'none', 'unknown', 'route: writing to routing socket: not in table\n', nwi('')],
  ['another output', 'unknown', 'unknown', 'route: usage\n', nwi('')],
  ['no route', 'unknown', 'unknown', null, nwi('')],
];

describe('the network of a Mac', () => {
  it.each(NETWORKS)('sees %s', (_name, kind, metered, text, reachability) => {
    expect(networkFromMacos({ route: text, ports: PORTS, reachability })).toEqual({
      kind,
      metered,
      ssid: null,
      isCaptivePortal: false,
    });
  });
});

describe('sources of a Mac', () => {
  it('run the programs at each change, close at once and open when it has lasted', async () => {
    let batteries = batt('AC Power');
    let notify = (): void => undefined;
    const waits: (() => void)[] = [];
    const end = vi.fn();
    const { power, network, stop } = macosSources(
      (program, ...args) => {
        if (program.endsWith('pmset'))
          return Promise.resolve(args.includes('batt') ? batteries : settings(0));
        if (program.endsWith('route')) return Promise.resolve(route('en0'));
        return Promise.resolve(program.endsWith('scutil') ? nwi('en0') : PORTS);
      },
      (changed) => {
        notify = changed;
        return end;
      },
      (_ms, fire) => {
        waits.push(fire);
        return () => void waits.splice(waits.indexOf(fire), 1);
      },
    );
    const changed = vi.fn();
    await power.start(changed);
    await network.start(changed);
    expect(power.current().state).toBe('unknown');
    for (const fire of waits.splice(0)) fire();
    expect([power.current().state, network.current().kind]).toEqual(['ac', 'wifi']);
    expect(changed).toHaveBeenCalledTimes(2);

    batteries = batt('Battery Power', '99%; discharging; 4:12 remaining present: true');
    notify();
    await vi.waitFor(() => expect(power.current().state).toBe('battery'));
    await power.stop();
    await network.stop();
    stop();
    expect(end).toHaveBeenCalledTimes(1);
  });
});
