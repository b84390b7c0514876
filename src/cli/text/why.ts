import { counted } from '../../core/amounts.ts';
import type { BlockerCode } from '../../core/gate.ts';
import type { StatusReport } from '../../core/status.ts';
import { exemptionWords, isOfInterest } from './exemption-page.ts';
import { bullet, paragraph } from './layout.ts';
import { localTime, moment, roughSpan } from './moments.ts';
import { STATE_WORDS, unsealedWords, whenWords } from './state-words.ts';

/** `telemetryctl why --json`, schema 1: only ever gains fields. */
interface WhyReport {
  readonly schema: 1;
  readonly collection: {
    readonly state: StatusReport['collection']['state'];
    readonly since: string | null;
    readonly until: string | null;
    readonly reasons: readonly Cause[];
  };
  /** What the person asked to be exempt from and that stands, waits, or was lately decided. */
  readonly exemptions: StatusReport['exemptions'];
  readonly upload: {
    readonly gate: 'open' | 'closed';
    readonly summary: string;
    readonly blockers: readonly Cause[];
    readonly nextAttemptAt: string | null;
  };
}

interface Cause {
  readonly code: string;
  readonly text: string;
  readonly since: string | null;
  /** What would change it. */
  readonly change: string;
}

/** What ends each blocker; what needs nobody says so. */
const CHANGES: Readonly<Record<BlockerCode, string>> = {
  'on-battery': 'connecting the charger',
  'power-unknown': 'a power source that the system reports; until then nothing is sent',
  'battery-saver': 'turning the battery saver off',
  'no-network': 'connecting to a network',
  'not-wifi': 'joining a Wi-Fi network, or a policy whose upload.networks allows this kind',
  'network-unknown': 'a network whose kind the system reports',
  metered: 'joining a network that is not metered',
  'ssid-not-allowed': 'joining one of the networks in upload.ssids',
  'captive-portal': 'signing in on the network’s page',
  'daily-budget': 'tomorrow: the budget starts anew at midnight',
  'monthly-budget': 'next month: the budget starts anew on its first day',
  'outside-hours': 'waiting: uploads begin by themselves when the hours do',
  'hold-back': 'waiting: it ends by itself',
  'exemption-pending': 'a decision on the exemption, or withdrawing it',
  'consent-revoked': 'nothing but a new grant: telemetryctl consent grant',
  'consent-stale': 'reading the new notice and agreeing: telemetryctl consent grant',
  'destination-changed': 'agreeing to the new destination: telemetryctl consent grant',
  'retention-mismatch': 'a collector that deletes as soon as the policy promises',
  'collector-backoff': 'waiting: it tries again by itself',
  'notice-incomplete':
    'a policy that gives what is missing; the person must then agree anew where it says more',
  'not-enrolled': 'enrolling this device with the collector: telemetryctl enroll URL TOKEN',
  unauthorised: 'new credentials from whoever runs the collector',
  'too-large': 'a collector, or a proxy before it, that takes files of this size',
  'no-destination': 'a policy with an upload.url',
};

/** Why collection and upload are as they are, since when, and what would change it. */
export function explain(report: StatusReport, nowMs: number): WhyReport {
  const { collection, upload } = report;
  return {
    schema: 1,
    collection: {
      state: collection.state,
      since: collection.since,
      until: collection.until,
      reasons: collection.reasons.map(({ code, text, hint }) => ({
        code,
        text,
        since: collection.since,
        change: hint,
      })),
    },
    exemptions: report.exemptions.filter((found) => isOfInterest(found, nowMs)),
    upload: {
      gate: upload.gate,
      summary: uploadSummary(report),
      blockers: upload.blockers.map(({ code, text, since }) => ({
        code,
        text,
        since,
        change: changeOf(code),
      })),
      nextAttemptAt: upload.nextAttemptAt,
    },
  };
}

/** {@link explain} in words, at most 80 columns. */
export function whyPage(report: StatusReport, nowMs: number): string {
  return [
    ...collectionLines(report, nowMs),
    '',
    ...exemptionLines(report, nowMs),
    ...uploadLines(report, nowMs),
    '',
  ].join('\n');
}

function collectionLines({ collection }: StatusReport, nowMs: number): string[] {
  const { state, until, reasons } = collection;
  const when = whenWords(collection, nowMs);
  const lines = [paragraph(`Collection: ${STATE_WORDS[state].words}${when === '' ? '' : `, ${when}`}.`, 0)];
  if (state === 'capturing') {
    lines.push(paragraph('Consent stands, nothing forbids it, and the capture process is running.'));
    lines.push(paragraph('To change it: telemetryctl pause 30m, or telemetryctl consent revoke.'));
  }
  for (const { text, hint } of reasons) {
    lines.push(bullet(text));
    if (hint !== '') lines.push(paragraph(`To change it: ${hint}.`, 4));
  }
  if (until !== null) {
    const left = roughSpan(Date.parse(until) - nowMs);
    lines.push(paragraph(`It ends by itself at ${localTime(until, nowMs)}, in ${left}.`));
  }
  return lines;
}

function exemptionLines({ exemptions }: StatusReport, nowMs: number): string[] {
  const shown = exemptions.filter((found) => isOfInterest(found, nowMs));
  if (shown.length === 0) return [];
  const lines = shown.map((found) => bullet(`${exemptionWords(found, nowMs)}.`));
  const canEnd = shown.some(({ state }) => state !== 'denied' && state !== 'expired');
  const change = canEnd ? [paragraph('To change it: telemetryctl exempt withdraw ID.')] : [];
  return [paragraph('Exemptions:', 0), ...lines, ...change, ''];
}

function uploadLines(report: StatusReport, nowMs: number): string[] {
  const { upload } = report;
  const lines = [paragraph(`Upload: ${uploadSummary(report)}`, 0)];
  for (const { code, text, since } of upload.blockers) {
    lines.push(
      bullet(`${text} Since ${moment(since, nowMs)}.`),
      paragraph(`To change it: ${changeOf(code)}.`, 4),
    );
  }
  if (upload.nextAttemptAt !== null)
    lines.push(paragraph(`Next try: ${moment(upload.nextAttemptAt, nowMs)}.`));
  if (upload.gate === 'open' && upload.queued.segments > 0 && !upload.isSending) {
    lines.push(paragraph('To send at once: telemetryctl upload now.'));
  }
  return lines;
}

function uploadSummary({ collection, upload, spool }: StatusReport): string {
  const { segments } = upload.queued;
  const queued = segments === 0 ? 'nothing waits' : `${counted(segments, 'segment')} waiting`;
  const waiting = [queued, ...unsealedWords(spool)].join('; ');
  if (collection.state === 'stopped') return `The daemon is down, so nothing is sent; ${waiting}.`;
  if (upload.gate === 'closed') return `The gate is closed, nothing is sent; ${waiting}.`;
  return upload.isSending
    ? `The gate is open and data is being sent; ${waiting}.`
    : `The gate is open; ${waiting}.`;
}

function changeOf(code: string): string {
  return isBlockerCode(code) ? CHANGES[code] : 'telemetryctl status says more';
}

function isBlockerCode(code: string): code is BlockerCode {
  return Object.hasOwn(CHANGES, code);
}
