import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Power, PowerSource, PowerState } from '../core/conditions.ts';
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

/** What a supply is to the machine. `external` is a charger or a port that one is plugged into. */
interface Supply {
  readonly role: 'battery' | 'ups' | 'external' | 'unknown';
  readonly online: 'yes' | 'no' | 'unknown' | 'absent';
  readonly charge: 'discharging' | 'charging' | 'steady' | 'unknown';
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

/** `ac` only when everything says so; the first sign of a battery wins, then the first doubt. */
function powerState(supplies: readonly Supply[]): PowerState {
  // Also with a charger online: one that is too weak leaves the battery to make up the rest.
  if (supplies.some((supply) => supply.charge === 'discharging')) return 'battery';
  const batteries = supplies.filter((supply) => supply.role === 'battery');
  const upses = supplies.filter((supply) => supply.role === 'ups');
  if (upses.some((ups) => ups.online === 'no')) return 'battery';
  // What cannot be recognised may be a battery.
  if (supplies.some((supply) => supply.role === 'unknown')) return 'unknown';
  if (upses.some((ups) => ups.online === 'unknown')) return 'unknown';
  const stores = [...batteries, ...upses];
  if (stores.length === 0) return 'ac';
  const feeds = supplies.filter((supply) => supply.role === 'external');
  // A UPS can speak for a desktop, but not for a laptop whose own charger is unplugged.
  const vouchers = batteries.length > 0 ? feeds : [...feeds, ...upses];
  if (!vouchers.some(isFed)) {
    // A full battery does not discharge for a moment after the charger is unplugged: offline is battery.
    const isCertain = vouchers.length > 0 && vouchers.every((supply) => supply.online === 'no');
    return isCertain ? 'battery' : 'unknown';
  }
  return stores.some((supply) => supply.charge === 'unknown') ? 'unknown' : 'ac';
}

function isFed(supply: Supply): boolean {
  return (
    supply.online === 'yes' ||
    (supply.role === 'ups' && supply.online === 'absent' && supply.charge === 'charging')
  );
}
