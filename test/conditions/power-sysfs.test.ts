import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { powerSysfs } from '../../src/conditions/power-sysfs.ts';
import { sysfsRoot } from '../../src/conditions/sysfs-root.ts';
import type { PowerState } from '../../src/core/conditions.ts';
import { addFiles, type MachineFiles, makeMachine, supply } from './machine-folder.ts';

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
  const source = powerSysfs(sysfsRoot({ TELEMETRYD_SYSFS_ROOT: root }));
  removals.push(() => source.stop());
  await source.start(changed);
  return source;
}

const battery = (name: string, status: string, more: Record<string, string> = {}) =>
  supply(name, { type: 'Battery', status, present: '1', scope: 'System', ...more });
const mains = (online: string) => supply('AC', { type: 'Mains', online });
const usb = (port: number, online: string) =>
  supply(`ucsi-source-psy-USBC000:00${port}`, { type: 'USB', online, scope: 'Unknown' });

const MACHINES: readonly (readonly [string, PowerState, MachineFiles])[] = [
  ['a laptop on its charger', 'ac', { ...battery('BAT0', 'Charging'), ...mains('1') }],
  ['a laptop on battery', 'battery', { ...battery('BAT0', 'Discharging'), ...mains('0') }],
  ['a full laptop on its charger', 'ac', { ...battery('BAT0', 'Full'), ...mains('1') }],
  [
    'a laptop just unplugged, its battery still Full',
    'battery',
    { ...battery('BAT0', 'Full'), ...mains('0') },
  ],
  [
    'a laptop unplugged at its charge threshold',
    'battery',
    { ...battery('BAT0', 'Not charging'), ...mains('0') },
  ],
  ['a laptop held at its charge threshold', 'ac', { ...battery('BAT0', 'Not charging'), ...mains('1') }],
  ['the same where ACPI says Unknown', 'ac', { ...battery('BAT0', 'Unknown'), ...mains('1') }],
  ['a charger too weak for the load', 'battery', { ...battery('BAT0', 'Discharging'), ...mains('1') }],
  [
    'a dock that powers the laptop over USB-C',
    'ac',
    { ...battery('BAT0', 'Charging'), ...mains('0'), ...usb(1, '1') },
  ],
  [
    'USB Power Delivery with a programmable voltage on the second of three ports',
    'ac',
    { ...battery('BAT0', 'Charging'), ...usb(1, '0'), ...usb(2, '2'), ...usb(3, '0') },
  ],
  [
    'no charger in any of two ports',
    'battery',
    { ...battery('BAT0', 'Full'), ...usb(1, '0'), ...usb(2, '0') },
  ],
  [
    'two batteries on a charger, one of them idle',
    'ac',
    { ...battery('BAT0', 'Charging'), ...battery('BAT1', 'Not charging'), ...mains('1') },
  ],
  [
    'two batteries of which the second discharges',
    'battery',
    { ...battery('BAT0', 'Full'), ...battery('BAT1', 'Discharging'), ...mains('1') },
  ],
  [
    'an empty battery bay',
    'ac',
    { ...battery('BAT0', 'Charging'), ...battery('BAT1', 'Discharging', { present: '0' }), ...mains('1') },
  ],
  [
    'a laptop without its only battery',
    'ac',
    { ...battery('BAT0', 'Unknown', { present: '0' }), ...mains('1') },
  ],
  ['a desktop with an empty folder', 'ac', { 'class/power_supply': null }],
  ['a virtual machine without the folder', 'ac', { 'class/net/lo/type': '772' }],
  [
    'a desktop with a wireless mouse and headset',
    'ac',
    {
      ...supply('hidpp_battery_0', { type: 'Battery', status: 'Discharging', scope: 'Device' }),
      ...supply('headset', { type: 'Battery', status: 'Unknown', scope: 'Device' }),
    },
  ],
  [
    'a laptop on its charger with a mouse',
    'ac',
    {
      ...battery('BAT0', 'Full'),
      ...mains('1'),
      ...supply('mouse', { type: 'Battery', status: 'Discharging', scope: 'Device' }),
    },
  ],
  [
    'a phone charging from the laptop, seen as a supply of its own',
    'battery',
    {
      ...battery('BAT0', 'Full'),
      ...mains('0'),
      ...supply('p', { type: 'USB', online: '1', scope: 'Device' }),
    },
  ],
  [
    'a battery without a scope is the system’s',
    'battery',
    supply('BAT0', { type: 'Battery', status: 'Discharging' }),
  ],
  ['a desktop on its UPS', 'battery', supply('ups', { type: 'UPS', status: 'Discharging', online: '0' })],
  [
    'a desktop whose UPS lost mains a moment ago',
    'battery',
    supply('ups', { type: 'UPS', status: 'Full', online: '0' }),
  ],
  ['a desktop whose UPS has mains', 'ac', supply('ups', { type: 'UPS', status: 'Full', online: '1' })],
  ['a UPS that charges and has no online file', 'ac', supply('ups', { type: 'UPS', status: 'Charging' })],
  ['a UPS that says nothing of mains', 'unknown', supply('ups', { type: 'UPS', status: 'Full' })],
  [
    'a UPS with an odd word for mains',
    'unknown',
    supply('ups', { type: 'UPS', status: 'Full', online: 'yes' }),
  ],
  [
    'a UPS does not vouch for a laptop that is unplugged',
    'battery',
    {
      ...battery('BAT0', 'Full'),
      ...mains('0'),
      ...supply('ups', { type: 'UPS', status: 'Full', online: '1' }),
    },
  ],
  [
    'an old kernel’s name for a USB charger',
    'ac',
    { ...battery('B', 'Full'), ...supply('u', { type: 'USB_PD', online: '1' }) },
  ],
  [
    'a charging pad only',
    'unknown',
    { ...battery('B', 'Charging'), ...supply('pad', { type: 'Wireless', online: '1' }) },
  ],
  ['a full battery and nothing that could charge it', 'unknown', battery('BAT0', 'Full')],
  [
    'a charger that does not say whether it is online',
    'unknown',
    { ...battery('B', 'Full'), ...supply('A', { type: 'Mains' }) },
  ],
  ['a charger with an odd value', 'unknown', { ...battery('BAT0', 'Full'), ...mains('maybe') }],
  ['a battery with an odd status on a charger', 'unknown', { ...battery('BAT0', 'Sleeping'), ...mains('1') }],
  [
    'a battery without a status on a charger',
    'unknown',
    { ...supply('BAT0', { type: 'Battery' }), ...mains('1') },
  ],
  ['a supply of a type that is not known', 'unknown', { ...supply('x', { type: 'Reactor' }), ...mains('1') }],
  ['a supply whose type is missing', 'unknown', { 'class/power_supply/x/status': 'Full', ...mains('1') }],
];

describe('power from sysfs', () => {
  it.each(MACHINES)('takes %s for %s', async (_name, state, files) => {
    const source = await started(machine(files));
    expect(source.current()).toEqual({ state, isSaver: false });
  });

  it('does not know anything without a sysfs', async () => {
    const source = await started(join(tmpdir(), 'no-such-machine'));
    expect(source.current().state).toBe('unknown');
  });

  it('does not take an attribute that cannot be read for a good sign', async () => {
    const root = machine({ ...mains('1'), 'class/power_supply/BAT0/type': 'Battery' });
    addFiles(root, { 'class/power_supply/BAT0/status': null }); // reading a folder fails, for root too
    expect((await started(root)).current().state).toBe('unknown');
  });

  it('does not take a folder of supplies that cannot be listed for a desktop', async () => {
    const root = machine({ 'class/power_supply': null });
    chmodSync(join(root, 'class/power_supply'), 0);
    const { state } = (await started(root)).current();
    expect(state).toBe(process.getuid?.() === 0 ? 'ac' : 'unknown');
  });

  it('says unknown before it has read anything', () => {
    expect(powerSysfs(sysfsRoot({})).current().state).toBe('unknown');
  });

  it('calls back at once when a file of a simulated machine changes, and once per change', async () => {
    const root = machine({ ...battery('BAT0', 'Charging'), ...mains('1') });
    const changed = vi.fn();
    const source = await started(root, changed);
    replaceFile(join(root, 'class/power_supply/AC/online'), '0');
    await vi.waitFor(() => expect(source.current().state).toBe('battery'), { timeout: 1000, interval: 5 });
    expect(changed).toHaveBeenCalledTimes(1);
  });

  it('sees a supply that appears later and one that is plugged in again', async () => {
    const root = machine({ 'class/power_supply': null });
    const source = await started(root);
    expect(source.current().state).toBe('ac');
    addFiles(root, battery('BAT0', 'Discharging'));
    await vi.waitFor(() => expect(source.current().state).toBe('battery'), { timeout: 1000, interval: 5 });
    rmSync(join(root, 'class/power_supply/BAT0'), { recursive: true });
    await vi.waitFor(() => expect(source.current().state).toBe('ac'), { timeout: 1000, interval: 5 });
    addFiles(root, battery('BAT0', 'Discharging'));
    await vi.waitFor(() => expect(source.current().state).toBe('battery'), { timeout: 1000, interval: 5 });
  });

  it('reads again when asked, and calls back only when the answer differs', async () => {
    const root = machine({ ...battery('BAT0', 'Charging'), ...mains('1') });
    const changed = vi.fn();
    // As on a real sysfs: nothing tells of changes.
    const source = powerSysfs({ sysfs: root, procNet: root, isSimulated: false });
    await source.start(changed);
    replaceFile(join(root, 'class/power_supply/AC/online'), '0');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(source.current().state).toBe('ac');
    source.refresh();
    source.refresh();
    expect(source.current().state).toBe('battery');
    expect(changed).toHaveBeenCalledTimes(1);
    await source.stop();
  });

  it('is silent once stopped, and stops twice', async () => {
    const root = machine({ ...battery('BAT0', 'Charging'), ...mains('1') });
    const changed = vi.fn();
    const source = await started(root, changed);
    await source.stop();
    await source.stop();
    replaceFile(join(root, 'class/power_supply/AC/online'), '0');
    source.refresh();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(changed).not.toHaveBeenCalled();
  });

  it('reads this machine without failing', async () => {
    const source = powerSysfs(sysfsRoot({}));
    await source.start(() => undefined);
    expect(['ac', 'battery', 'unknown']).toContain(source.current().state);
    await source.stop();
  });
});

/** As a kernel attribute changes: never half-written. */
function replaceFile(path: string, text: string): void {
  const scratch = join(mkdtempSync(join(tmpdir(), 'attribute-')), 'text');
  writeFileSync(scratch, `${text}\n`);
  renameSync(scratch, path);
}
