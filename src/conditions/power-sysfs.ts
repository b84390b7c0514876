import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Power, PowerSource, PowerState } from '../core/conditions.ts';
import { powerState, type Supply } from './power-supplies.ts';
import { isMissing, readAttribute, type SysfsRoot } from './sysfs-root.ts';
import { type Reading, SysfsSource } from './sysfs-source.ts';

/**
 * Power from `class/power_supply` (kernel: Documentation/ABI/testing/sysfs-class-power).
 *
 * `isSaver` is always `false`: sysfs has no such fact. `firmware/acpi/platform_profile` says `low-power` both for a
 * battery saver and for someone on AC who wants a quiet fan.
 */
export function powerSysfs(root: SysfsRoot): PowerSource {
  return new SysfsSource<Power>(
    { state: 'unknown', isSaver: false },
    () => readPower(root),
    root.isSimulated,
  );
}

function readPower(root: SysfsRoot): Reading<Power> {
  const classFolder = join(root.sysfs, 'class');
  const folder = join(classFolder, 'power_supply');
  const above = [root.sysfs, classFolder, folder];
  const names = list(folder);
  if (names === 'missing') {
    // Virtual machines and some desktops have no such class. Without a sysfs at all, nothing can be told.
    return reading(existsSync(classFolder) ? 'ac' : 'unknown', above);
  }
  if (names === 'unreadable') return reading('unknown', above);
  const folders = names.map((name) => join(folder, name));
  const supplies = folders.map(readSupply).filter((supply) => supply !== null);
  return reading(powerState(supplies), [...above, ...folders]);
}

function reading(state: PowerState, folders: readonly string[]): Reading<Power> {
  return { fact: { state, isSaver: false }, folders };
}

function list(folder: string): string[] | 'missing' | 'unreadable' {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    return isMissing(error) ? 'missing' : 'unreadable';
  }
}

/** One supply; `null` for what does not power this machine. */
function readSupply(folder: string): Supply | null {
  const type = readAttribute(folder, 'type');
  if (type === null && !existsSync(folder)) return null; // unplugged since the folder was listed
  // A mouse, a headset or a pen reports its own battery. Without the attribute a supply is the system's.
  if (readAttribute(folder, 'scope') === 'Device') return null;
  const role = roleOf(type);
  if (role === 'other') return null;
  // An empty battery bay.
  if (role === 'battery' && readAttribute(folder, 'present') === '0') return null;
  return {
    role,
    online: onlineOf(readAttribute(folder, 'online')),
    charge: chargeOf(readAttribute(folder, 'status')),
  };
}

function roleOf(type: string | null | undefined): Supply['role'] | 'other' {
  if (type === 'Battery') return 'battery';
  if (type === 'UPS') return 'ups';
  // Kernels before 4.18 have a type for each USB variant: USB_DCP, USB_PD, …, and BrickID.
  if (type === 'Mains' || type?.startsWith('USB') === true || type === 'BrickID') return 'external';
  // A charging pad feeds a tablet so weakly that it does not count as AC; a battery beside it decides.
  if (type === 'Wireless') return 'other';
  return 'unknown';
}

function onlineOf(text: string | null | undefined): Supply['online'] {
  if (text === null) return 'absent';
  if (text === '0') return 'no';
  // 2 is "online, programmable": USB Power Delivery with a negotiated voltage.
  return text === '1' || text === '2' ? 'yes' : 'unknown';
}

function chargeOf(text: string | null | undefined): Supply['charge'] {
  if (text === 'Discharging') return 'discharging';
  if (text === 'Charging') return 'charging';
  // `Unknown` is the ACPI driver's word for a battery that neither charges nor discharges, as at a charge threshold
  // (kernel: drivers/acpi/battery.c); whether the machine is on AC, its charger then says.
  return text === 'Full' || text === 'Not charging' || text === 'Unknown' ? 'steady' : 'unknown';
}
