import type { Power } from '../core/conditions.ts';

/** What the programs printed; `null` when one could not be run. */
export interface PowerOutputs {
  /** `pmset -g batt` */
  readonly batteries: string | null;
  /** `pmset -g` */
  readonly settings: string | null;
}

/**
 * Power from `pmset` (pmset(1)): AC only when it draws from AC and no battery discharges (a charger too weak for the load).
 * A Mac without a battery lists none and draws from AC.
 */
export function powerFromPmset({ batteries, settings }: PowerOutputs): Power {
  // Low Power Mode; on Macs without a battery it does not exist. "1" is on, and so is the 2 of some releases.
  const isSaver = /^\s*lowpowermode\s+[1-9]/m.test(settings ?? '');
  const source = /Now drawing from '([^']+)'/.exec(batteries ?? '')?.[1];
  if (source === undefined) return { state: 'unknown', isSaver };
  if (source === 'Battery Power' || source === 'UPS Power') return { state: 'battery', isSaver };
  const isDischarging = /;\s*discharging;/.test(batteries ?? '');
  return { state: source !== 'AC Power' ? 'unknown' : isDischarging ? 'battery' : 'ac', isSaver };
}
