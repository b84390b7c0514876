import type { PowerState } from '../core/conditions.ts';

/** What a supply is to the machine. `external` is a charger or a port that one is plugged into. */
export interface Supply {
  readonly role: 'battery' | 'ups' | 'external' | 'unknown';
  readonly online: 'yes' | 'no' | 'unknown' | 'absent';
  readonly charge: 'discharging' | 'charging' | 'steady' | 'unknown';
}

/** `ac` only when everything says so; the first sign of a battery wins, then the first doubt. */
export function powerState(supplies: readonly Supply[]): PowerState {
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
