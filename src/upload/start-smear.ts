import type { Random } from '../core/clock.ts';
import { type BlockerCode, isLoopbackUrl } from '../core/gate.ts';

/** What ends for a whole fleet in the same second. */
const BY_THE_CLOCK: readonly BlockerCode[] = ['outside-hours', 'daily-budget', 'monthly-budget'];
/** What ends for this device alone, or has been spread already. */
const ALONE: readonly BlockerCode[] = [
  'hold-back',
  'exemption-pending',
  'collector-backoff',
  'consent-revoked',
];
/** As long as the schedule's own spread: 50,000 devices come as 28 a second. */
const CLOCK_SPREAD_MS = 30 * 60_000;
/**
 * An office plugs in or gets its network back at once. Of 50,000 that do, one collector of 400 segments a second refuses
 * one for every seven it takes; with a minute it was one for every four (`npm run bench collector`). More than this
 * would waste short times on AC.
 */
const OFFICE_SPREAD_MS = 5 * 60_000;

/**
 * How long a round that is due waits after the gate opened, so that a fleet does not come at once. `ended`: what had
 * kept the gate closed. Nothing on this machine is a fleet.
 */
export function startSmearMs(ended: readonly BlockerCode[], url: string, random: Random): number {
  if (isLoopbackUrl(url)) return 0;
  if (ended.some((code) => BY_THE_CLOCK.includes(code))) return Math.floor(random() * CLOCK_SPREAD_MS);
  return ended.every((code) => ALONE.includes(code)) ? 0 : Math.floor(random() * OFFICE_SPREAD_MS);
}
