import { counted, groupedCount, roughBytes } from '../../core/amounts.ts';
import type { StatusReport } from '../../core/status.ts';
import { paint } from './colour.ts';
import { exemptionWords, isOfInterest } from './exemption-page.ts';
import { healthWords } from './health-words.ts';
import { bullet, paragraph, row } from './layout.ts';
import { moment, relative, roughSpan } from './moments.ts';
import { keyWords, STATE_WORDS, unsealedWords, whenWords } from './state-words.ts';

/** How a page is to look, and the time it is read at. */
interface PageOptions {
  readonly nowMs: number;
  readonly hasColour: boolean;
}

/** `telemetryctl status`: one page of at most 80 columns that ends in a line end. */
export function statusPage(report: StatusReport, options: PageOptions): string {
  const { nowMs } = options;
  return [
    title(report, options),
    ...reasons(report),
    '',
    row('Records', ...recordingWords(report, nowMs)),
    row('On disk', ...diskWords(report, nowMs)),
    row('Sent', ...sentWords(report, nowMs)),
    ...gate(report, options),
    row('Consent', consentWords(report, nowMs)),
    ...exemptions(report, nowMs),
    ...announced(report, nowMs),
    row('Policy', ...policyWords(report)),
    ...(report.daemon.pid === null ? [] : [row('Cost', costWords(report))]),
    row('Daemon', daemonWords(report, nowMs)),
    '',
  ].join('\n');
}

/** The upload part of the page alone, for `upload status`. */
export function uploadPage(report: StatusReport, options: PageOptions): string {
  return [
    row('Sent', ...sentWords(report, options.nowMs)),
    ...gate(report, options),
    row('Health', ...toldWords(report)),
    '',
  ].join('\n');
}

/** All that the collector knows of the program here. */
function toldWords({ upload: { health } }: StatusReport): string[] {
  if (health === undefined || health === null) return ['the collector was told nothing of this program yet'];
  const { destination, day } = health;
  return [
    `the collector was told: ${healthWords(health)}`,
    `last on ${day}, at ${destination}; at most once a day, or when there is a new fault`,
  ];
}

function title({ collection }: StatusReport, { nowMs, hasColour }: PageOptions): string {
  const { words, colour } = STATE_WORDS[collection.state];
  const when = whenWords(collection, nowMs);
  const text = paragraph(`${words}${when === '' ? '' : `, ${when}`}`, 0);
  return text.replace(words, paint(words, colour, hasColour));
}

function reasons({ collection }: StatusReport): string[] {
  return collection.reasons.flatMap(({ text, hint }) => [
    paragraph(text),
    ...(hint === '' ? [] : [paragraph(`Try: ${hint}`)]),
  ]);
}

function recordingWords({ capture, collection, conditions, policy }: StatusReport, nowMs: number): string[] {
  const { recorded, thinned, redacted, dropped } = capture.events;
  const left = [`${groupedCount(thinned)} thinned`, `${groupedCount(redacted)} masked`];
  const counts = `${counted(recorded, 'event')} since the start; ${left.join(', ')}, ${groupedCount(dropped)} lost`;
  if (collection.state === 'stopped') return ['nothing'];
  const now = capture.alive
    ? [
        `pointer moves, buttons and wheel; ${keyWords(policy.keys)}`,
        ...(capture.backendWhy === '' ? [] : [`${capture.backend} was chosen because ${capture.backendWhy}`]),
        `by ${capture.backend}${capture.pid === null ? '' : `, process ${capture.pid}`}, ${lastEvent(capture.lastEventAt, nowMs)}`,
        ...(conditions.session.sources.length > 0 ? [] : ['nothing here tells when the screen is locked']),
      ]
    : ['nothing now: no capture process exists'];
  const restarts =
    capture.restarts === 0 ? [] : [`${counted(capture.restarts, 'restart')} of the capture process`];
  return [...now, counts, ...restarts];
}

function lastEvent(lastEventAt: string | null, nowMs: number): string {
  return lastEventAt === null ? 'no event yet' : `last event ${relative(lastEventAt, nowMs)}`;
}

function diskWords({ spool }: StatusReport, nowMs: number): string[] {
  const limit = spool.limitBytes > 0 ? ` of ${roughBytes(spool.limitBytes)}` : '';
  const oldest = spool.oldestAt === null ? '' : `, the oldest from ${moment(spool.oldestAt, nowMs)}`;
  return [
    `${counted(spool.segments, 'segment')}, ${roughBytes(spool.bytes)}${limit}${oldest}`,
    ...(spool.quarantined === 0 ? [] : [`${counted(spool.quarantined, 'file')} in quarantine`]),
    ...(spool.problem === null ? [] : [`Problem: ${spool.problem}`]),
  ];
}

function sentWords({ upload }: StatusReport, nowMs: number): string[] {
  const { sent, budget } = upload;
  const of = (bytes: number): string => (bytes > 0 ? ` of ${roughBytes(bytes)}` : '');
  const last = upload.lastSuccessAt === null ? '' : `; last ${moment(upload.lastSuccessAt, nowMs)}`;
  return [
    sent.totalSegments === 0
      ? 'nothing yet'
      : `${counted(sent.totalSegments, 'segment')}, ${roughBytes(sent.totalBytes)} in all${last}`,
    `${roughBytes(sent.todayBytes)}${of(budget.dailyBytes)} today, ${roughBytes(sent.monthBytes)}${of(budget.monthlyBytes)} this month`,
    ...(upload.destination === '' ? [] : [`to ${upload.destination}`]),
  ];
}

function gate(report: StatusReport, { nowMs, hasColour }: PageOptions): string[] {
  const { upload, conditions } = report;
  const { segments, bytes } = upload.queued;
  const queued =
    segments === 0 ? 'nothing waits' : `${counted(segments, 'segment')}, ${roughBytes(bytes)} wait`;
  const waiting = [queued, ...unsealedWords(report.spool)].join('; ');
  const next = upload.nextAttemptAt === null ? '' : `; next try ${moment(upload.nextAttemptAt, nowMs)}`;
  const isOpen = upload.gate === 'open';
  const state = isOpen ? (upload.isSending ? 'open, sending now' : 'open') : 'closed';
  const measured =
    report.daemon.pid === null ? ['nothing leaves while the daemon is down'] : [conditionWords(conditions)];
  const head = row('Gate', `${state}; ${waiting}${next}`, ...measured);
  return [
    hasColour ? head.replace(state, paint(state, isOpen ? 'green' : 'yellow', true)) : head,
    ...upload.blockers.map(({ text, since, code }) =>
      bullet(`${text} Since ${moment(since, nowMs)}. [${code}]`, 13),
    ),
  ];
}

const POWER_WORDS = { ac: 'AC power', battery: 'on battery', unknown: 'power unknown' } as const;
const NETWORK_WORDS = {
  wifi: 'Wi-Fi',
  ethernet: 'Ethernet',
  cellular: 'mobile network',
  local: 'local network only',
  none: 'no network',
  unknown: 'network unknown',
} as const;

function conditionWords({ power, network }: StatusReport['conditions']): string {
  const metered = { yes: ', metered', no: ', not metered', unknown: '' }[network.metered];
  const ssid = network.ssidAllowed === null ? '' : `, ${network.ssidAllowed ? 'an' : 'not an'} allowed name`;
  return `${POWER_WORDS[power]}, ${NETWORK_WORDS[network.kind]}${metered}${ssid}`;
}

function consentWords({ consent }: StatusReport, nowMs: number): string {
  const at = consent.grantedAt === null ? '' : ` ${moment(consent.grantedAt, nowMs)}`;
  switch (consent.state) {
    case 'granted':
      return `granted${at}`;
    case 'missing':
      return 'not given';
    case 'stale':
      return `given${at}, for less than the policy takes now`;
    case 'revoked':
      return 'revoked';
  }
}

function exemptions({ exemptions: list }: StatusReport, nowMs: number): string[] {
  const shown = list.filter((found) => isOfInterest(found, nowMs));
  if (shown.length === 0) return [];
  return [row('Exempt', ...shown.map((found) => exemptionWords(found, nowMs)))];
}

const ANNOUNCED = {
  began: 'that recording began',
  resumed: 'that recording goes on after a pause',
  'exemption-approved': 'that your exemption was approved',
  'exemption-denied': 'that your exemption was denied',
  'exemption-expired': 'that your exemption has ended',
} as const;
const SHOWN = {
  shown: 'on the desktop',
  waiting: 'waiting for the desktop',
  'no-desktop': 'here only: no desktop takes notifications',
} as const;

function announced({ announcement }: StatusReport, nowMs: number): string[] {
  if (announcement === undefined || announcement === null) return [];
  const { what, at, shown } = announcement;
  return [row('Told you', `${ANNOUNCED[what]}, ${moment(at, nowMs)}; ${SHOWN[shown]}`)];
}

function policyWords({ policy }: StatusReport): string[] {
  const problems = policy.problems.flatMap(({ severity, where, text, hint }) => [
    `${severity === 'error' ? 'Problem' : 'Note'}: ${where === '' ? '' : `${where}: `}${text}`,
    ...(hint === '' ? [] : [`Try: ${hint}`]),
  ]);
  return [`${policy.source}${policy.id === null ? '' : `, id ${policy.id}`}`, ...problems];
}

function costWords({ cost }: StatusReport): string {
  const cpu = `${cost.cpuPercent.toFixed(cost.cpuPercent < 10 ? 2 : 0)} % CPU`;
  const perHour = cost.activeHours > 0 ? `, ${roughBytes(cost.bytesPerActiveHour)} an active hour` : '';
  return `${cpu}, ${roughBytes(cost.rssBytes)} memory, ${Math.round(cost.wakeupsPerMinute)} wakeups a minute${perHour}`;
}

function daemonWords({ daemon }: StatusReport, nowMs: number): string {
  const running =
    daemon.pid === null
      ? 'not running'
      : `process ${daemon.pid}${daemon.startedAt === null ? '' : `, up ${roughSpan(nowMs - Date.parse(daemon.startedAt))}`}`;
  const simulated = daemon.simulated ? ', simulated conditions' : '';
  return `${daemon.version}, ${daemon.mode}, ${running}${simulated}; files in ${daemon.stateDir}`;
}
