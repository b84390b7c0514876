import type { ConsentStanding } from './collection.ts';
import type { Network, Power } from './conditions.ts';
import { isWithinHours, parseHours } from './hours.ts';
import type { Policy, UploadNetwork } from './policy.ts';

/** Codes of the public contract; new ones may be added. */
export type BlockerCode =
  | 'on-battery'
  | 'power-unknown'
  | 'battery-saver'
  | 'no-network'
  | 'not-wifi'
  | 'network-unknown'
  | 'metered'
  | 'ssid-not-allowed'
  | 'captive-portal'
  | 'daily-budget'
  | 'monthly-budget'
  | 'outside-hours'
  | 'hold-back'
  | 'exemption-pending'
  | 'consent-revoked'
  | 'consent-stale'
  | 'destination-changed'
  | 'retention-mismatch'
  | 'collector-backoff'
  | 'notice-incomplete'
  | 'not-enrolled'
  | 'unauthorised'
  | 'too-large'
  | 'no-destination';

export interface Blocker {
  readonly code: BlockerCode;
  readonly text: string;
}

/** A blocker with when it began, milliseconds since the epoch. */
export interface StandingBlocker extends Blocker {
  readonly sinceWallMs: number;
}

export interface GateFacts {
  readonly upload: Policy['upload'];
  readonly power: Power;
  readonly network: Network;
  readonly consent: ConsentStanding;
  /** This device has a key at the collector of the policy, and knows the collector's. */
  readonly isEnrolled: boolean;
  /** Bytes charged so far today and this month. */
  readonly spentTodayBytes: number;
  readonly spentMonthBytes: number;
  /** What the next segment would cost at most; absent or 0 when none is about to go. */
  readonly nextChargeBytes?: number;
  /** What the policy must say before anything leaves this machine and does not; see `missingForUpload`. */
  readonly missing: readonly string[];
  /** Until when the collector, or our own backoff, told us to wait; `null` when not. */
  readonly backoffUntilWallMs: number | null;
  /** The collector refused our credentials; only a new enrolment or configuration ends it. */
  readonly isUnauthorised: boolean;
  /** The collector keeps files longer than the notice says; only another policy or enrolment ends it. */
  readonly isKeptTooLong?: boolean;
  /** The backoff is because the collector found a segment too large (413): its limit is wrong, not our file. */
  readonly isTooLarge?: boolean;
  readonly wallMs: number;
  /** When the next sealed segment leaves its hold-back; `null` when nothing waits or something is ripe already. */
  readonly heldBackUntilWallMs: number | null;
  /** All that waits was recorded while an exemption was asked for, and is kept back for that. */
  readonly isWithheld?: boolean;
}

/** Everything that keeps data from leaving now, in the order a person would mend it. Open when empty. */
export function gateBlockers(facts: GateFacts): Blocker[] {
  const { upload } = facts;
  if (upload.url === '')
    return [blocker('no-destination', 'The policy names no collector: nothing is ever sent.')];
  const isLocal = isLoopbackUrl(upload.url);
  const blockers: Blocker[] = [];
  if (!isLocal && facts.missing.length > 0) {
    blockers.push(
      blocker('notice-incomplete', `Nothing leaves without ${facts.missing.join(', ')} in the policy.`),
    );
  }
  if (!isLocal && !facts.isEnrolled) {
    blockers.push(blocker('not-enrolled', 'This device is not enrolled with the collector of the policy.'));
  }
  if (facts.consent === 'revoked') blockers.push(blocker('consent-revoked', 'Consent was revoked.'));
  if (facts.consent === 'stale')
    blockers.push(blocker('consent-stale', 'The policy changed since consent was given.'));
  if (upload.power === 'ac') blockers.push(...powerBlockers(facts.power));
  if (!isLocal || upload.isNetworksExplicit) blockers.push(...networkBlockers(facts.network, upload));
  const today = budgetProblem(facts.spentTodayBytes, upload.dailyBudgetBytes, facts.nextChargeBytes);
  if (today !== null) blockers.push(blocker('daily-budget', `Today’s byte budget ${today}.`));
  const month = budgetProblem(facts.spentMonthBytes, upload.monthlyBudgetBytes, facts.nextChargeBytes);
  if (month !== null) blockers.push(blocker('monthly-budget', `This month’s byte budget ${month}.`));
  if (!isWithinHours(parseHours(upload.hours) ?? null, facts.wallMs)) {
    blockers.push(blocker('outside-hours', `Uploads run ${upload.hours} only.`));
  }
  if (facts.heldBackUntilWallMs !== null && facts.heldBackUntilWallMs > facts.wallMs) {
    blockers.push(
      blocker('hold-back', 'The newest data is held back for a while, so that it can still be purged here.'),
    );
  }
  if (facts.isWithheld === true) {
    blockers.push(
      blocker(
        'exemption-pending',
        'What waits is of a time that you asked to be exempt: it stays here undecided, and a day after a denial.',
      ),
    );
  }
  if (facts.isUnauthorised) {
    blockers.push(blocker('unauthorised', 'The collector refused this device’s credentials.'));
  }
  if (facts.isKeptTooLong === true) {
    blockers.push(
      blocker(
        'retention-mismatch',
        'The collector keeps files longer than you were told, or does not say how long: no more goes there.',
      ),
    );
  }
  if (facts.backoffUntilWallMs !== null && facts.backoffUntilWallMs > facts.wallMs) {
    if (facts.isTooLarge === true) {
      blockers.push(
        blocker(
          'too-large',
          'A segment is larger than the collector takes; its operator must raise the limit.',
        ),
      );
    }
    blockers.push(
      blocker('collector-backoff', 'The collector could not take data; waiting before the next try.'),
    );
  }
  return blockers;
}

function budgetProblem(spentBytes: number, budgetBytes: number, nextBytes = 0): string | null {
  if (spentBytes >= budgetBytes) return 'is spent';
  return spentBytes + nextBytes > budgetBytes ? 'has less left than the next segment needs' : null;
}

function powerBlockers(power: Power): Blocker[] {
  const blockers: Blocker[] = [];
  if (power.state === 'battery')
    blockers.push(blocker('on-battery', 'Running on battery; uploads wait for AC power.'));
  if (power.state === 'unknown') {
    blockers.push(blocker('power-unknown', 'The power source cannot be told, which counts as battery.'));
  }
  if (power.isSaver) blockers.push(blocker('battery-saver', 'The battery saver is on.'));
  return blockers;
}

const KIND_WORDS = { wifi: 'Wi-Fi', ethernet: 'Ethernet', cellular: 'a mobile network' } as const;

function networkBlockers(network: Network, upload: Policy['upload']): Blocker[] {
  const blockers: Blocker[] = [];
  const { kind } = network;
  if (kind === 'none' || kind === 'local') {
    return [blocker('no-network', 'There is no network.')];
  }
  if (kind === 'unknown') {
    return [blocker('network-unknown', 'The kind of network cannot be told, which counts as not allowed.')];
  }
  if (!upload.networks.includes(kind)) {
    const allowed = upload.networks.map((name: UploadNetwork) => KIND_WORDS[name]).join(' or ');
    blockers.push(
      blocker('not-wifi', `Connected by ${KIND_WORDS[kind]}; the policy allows ${allowed || 'none'}.`),
    );
  }
  if (network.metered === 'yes' && !upload.metered)
    blockers.push(blocker('metered', 'The network is metered.'));
  if (upload.ssids.length > 0 && (network.ssid === null || !upload.ssids.includes(network.ssid))) {
    blockers.push(
      blocker('ssid-not-allowed', 'This Wi-Fi is not one the policy names, or its name cannot be told.'),
    );
  }
  if (network.isCaptivePortal) {
    blockers.push(blocker('captive-portal', 'The network shows a sign-in page first.'));
  }
  return blockers;
}

function blocker(code: BlockerCode, text: string): Blocker {
  return { code, text };
}

/** Carries `sinceWallMs` over for blockers that stood already. */
export function trackBlockers(
  before: readonly StandingBlocker[],
  now: readonly Blocker[],
  wallMs: number,
): StandingBlocker[] {
  const since = new Map(before.map((standing) => [standing.code, standing.sinceWallMs]));
  return now.map((found) => ({ ...found, sinceWallMs: since.get(found.code) ?? wallMs }));
}

/** Whether a URL's host is this machine: `localhost`, 127.0.0.0/8 or `[::1]`. */
export function isLoopbackUrl(url: string): boolean {
  const { hostname } = URL.parse(url) ?? { hostname: '' };
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
