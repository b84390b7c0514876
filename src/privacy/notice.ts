import { createHash } from 'node:crypto';
import { counted } from '../core/amounts.ts';
import { canonicalJson } from '../core/canonical-json.ts';
import { captureRefusal } from '../core/capture-refusal.ts';
import { formatDuration } from '../core/duration.ts';
import { isLoopbackUrl } from '../core/gate.ts';
import { canonicalHours } from '../core/hours-overlap.ts';
import type { Policy } from '../core/policy.ts';
import { formatSize } from '../core/size.ts';
import { recipientFingerprint } from '../segment/age-recipient.ts';
import { layOut } from './notice-layout.ts';

/** What a person is told before they agree. */
export interface Notice {
  /** Names exactly this text under exactly this policy; consent is given to it. */
  readonly id: string;
  /** What it says, part by part, for those who lay it out themselves. */
  readonly parts: readonly { readonly label: string; readonly text: string }[];
  /** Plain text of at most 24 lines of 80 columns, one screen of the smallest usual terminal. */
  readonly text: string;
}

/** Makes the notice from a policy and from nothing else. It says what this version does, not what it will. */
export function makeNotice(policy: Policy): Notice {
  const parts = [
    ['RECORDED', recorded(policy)],
    ['NEVER', NEVER + excludedWords(policy)],
    ['WHY', why(policy)],
    ['WHERE TO', whereTo(policy)],
    ['WHO READS', whoReads(policy)],
    ['HOW LONG', howLong(policy)],
    ['COST', cost(policy)],
  ] as const;
  const text = layOut(NOTICE_TITLE, parts, controls(policy));
  const id = createHash('sha256')
    .update(`${text}\n${canonicalJson(policy)}`)
    .digest('hex')
    .slice(0, 16);
  return { id, text, parts: parts.map(([label, words]) => ({ label, text: words })) };
}

const NOTICE_TITLE = 'What telemetryd records on this computer, by the policy in force';

const NEVER =
  'Screen, sound, camera, clipboard, files, window titles, names of applications; nothing at all while paused, ' +
  'locked or without your agreement.';

function recorded(policy: Policy): string {
  const { capture } = policy;
  const refusal = captureRefusal(policy);
  if (refusal !== null) return `Nothing for now. ${refusal.text}`;
  const hours = hoursWords(capture.hours);
  return (
    `Mouse position (at most ${capture.mouseHz} a second), buttons and wheel. ${keyWords(capture)}` +
    (hours === '' ? '' : ` Only ${hours}.`)
  );
}

function keyWords(capture: Policy['capture']): string {
  const { keys, fullApps } = capture;
  if (keys === 'off') return `No keys.${unknownWords(capture)}`;
  if (keys === 'activity') {
    return (
      'Keys: only that one of a kind was pressed (text, editing, navigation, function, modifier), never which; ' +
      `password fields included.${unknownWords(capture)}`
    );
  }
  const full =
    keys === 'full' && fullApps.length > 0
      ? ` EVERY KEY YOU TYPE, BY NAME, in ${listed(fullApps)} (not in terminals that hide it).`
      : '';
  return (
    `Keys: shortcuts (Ctrl, Alt, Meta), Enter, Tab, arrows, F1 and the like by name; of typed text only that a key ` +
    `was pressed, never which; password fields included.${full}${unknownWords(capture)}`
  );
}

/** Where nothing tells which application is in use, nothing that the policy leaves out can be left out. */
function unknownWords({ keys, focusUnknown }: Policy['capture']): string {
  if (focusUnknown === 'block') return ' Nothing where the application in use is not known.';
  if (focusUnknown === 'no-keys')
    return keys === 'off' ? '' : ' No keys where the application in use is not known.';
  return ' Also where the application in use is not known.';
}

function excludedWords({ exclude }: Policy): string {
  const [apps, titles] = [exclude.apps.length, exclude.titles.length];
  if (apps + titles === 0) return '';
  const words = [
    ...(apps === 0 ? [] : [counted(apps, 'application')]),
    ...(titles === 0 ? [] : [counted(titles, 'window title')]),
  ];
  return ` Nor in ${words.join(' and ')} that the policy names, where the one in use is known.`;
}

/** More names than these do not fit; `policy show` has them all. */
const SHOWN_CHARACTERS = 60;

function listed(names: readonly string[]): string {
  const text = names.join(', ');
  return text.length <= SHOWN_CHARACTERS ? text : `${names.length} applications that the policy names`;
}

function why({ notice }: Policy): string {
  const purpose = notice.purpose === '' ? 'The policy gives no purpose' : notice.purpose;
  const basis = notice.basis === '' ? '' : ` Basis: ${notice.basis}.`;
  const controller = notice.controller === '' ? 'nobody named' : notice.controller;
  const contact = notice.contact === '' ? '' : ` (${notice.contact})`;
  return `${purpose.replace(/\.$/, '')}.${basis} Responsible: ${controller}${contact}.`;
}

function whereTo({ upload }: Policy): string {
  if (upload.url === '') return 'Nowhere: nothing leaves this computer.';
  const isLocal = isLoopbackUrl(upload.url);
  const place = isLocal ? `A collector on this computer, ${cut(upload.url)}` : cut(upload.url);
  const conditions = [
    upload.power === 'ac' ? 'on AC power' : 'on any power',
    ...(!isLocal || upload.isNetworksExplicit ? [networkWords(upload)] : []),
    ...(upload.hours === '' ? [] : [hoursWords(upload.hours)]),
    upload.holdBackMs === 0
      ? 'at once'
      : `${formatDuration(upload.holdBackMs)} after recording at the earliest`,
  ];
  return `${place}; ${conditions.filter((words) => words !== '').join(', ')}.`;
}

const NETWORK_WORDS = { wifi: 'Wi-Fi', ethernet: 'Ethernet', cellular: 'mobile networks' } as const;

function networkWords({ networks, ssids }: Policy['upload']): string {
  if (networks.length === 0) return 'over no network at all';
  const kinds = networks.map((name) => NETWORK_WORDS[name]).join(' or ');
  return `over ${kinds}${ssids.length === 0 ? '' : ` (names in the policy)`}`;
}

/** More fingerprints than these do not fit; `policy show` has them all. */
const SHOWN_FINGERPRINTS = 2;

/** Files are encrypted as they are written; the daemon, the collector and other accounts cannot open what is sealed. */
function whoReads({ notice, encrypt, upload }: Policy): string {
  const meant = notice.readers === '' ? '' : ` Meant for: ${notice.readers}.`;
  // Of the program: see `HEALTH_CODES`.
  const readers = upload.url === '' ? meant : `${meant} The collector sees sizes, version, faults.`;
  const count = encrypt.recipients.length;
  if (count === 0) return `Encrypted: you alone can open the files, with your own key.${readers}`;
  const shown = encrypt.recipients.slice(0, SHOWN_FINGERPRINTS).map(recipientFingerprint);
  const more = count > SHOWN_FINGERPRINTS ? ` and ${count - SHOWN_FINGERPRINTS} more` : '';
  const keys = `${count === 1 ? 'one key' : `${count} keys`} of the policy (${shown.join(', ')}${more})`;
  return `Encrypted: you, with your own key, and whoever has ${keys}.${readers}`;
}

function howLong({ spool, upload, notice }: Policy): string {
  const here = `Here ${formatDuration(spool.retentionMs)}, ${formatSize(spool.limitBytes)} at most.`;
  if (upload.url === '') return here;
  const sent =
    spool.keepSentMs === 0 ? 'gone from here once sent' : `${formatDuration(spool.keepSentMs)} once sent`;
  const there = notice.serverRetentionMs === null ? 'not stated' : formatDuration(notice.serverRetentionMs);
  return (
    `Here ${formatDuration(spool.retentionMs)} unsent, ${sent}, ${formatSize(spool.limitBytes)} at most. ` +
    `At the collector: ${there}; a purge erases it there too.`
  );
}

function cost({ upload, limits }: Policy): string {
  const { dailyBudgetBytes, monthlyBudgetBytes, rateBytesPerSecond } = upload;
  const network =
    upload.url === ''
      ? ''
      : `Sends at most ${formatSize(dailyBudgetBytes)} a day, ${formatSize(monthlyBudgetBytes)} a month, ` +
        `${formatSize(rateBytesPerSecond)} a second. `;
  const cpu = `${Number((limits.cpuFraction * 100).toFixed(2))}%`;
  return (
    `${network}Aims at ${cpu} of a processor core and ${formatSize(limits.memoryBytes)} of memory ` +
    '(above, it records less).'
  );
}

function controls({ pause }: Policy): string[] {
  const max = formatDuration(pause.maxMs);
  const rows = [
    [
      ['pause 30m', `up to ${max}`],
      ['resume', 'go on'],
      ['why', 'state'],
    ],
    [
      ['exempt request', 'not for days'],
      ['exclude', 'not in an app'],
      ['report', 'as page'],
    ],
    [
      ['consent revoke', 'stop for good'],
      ['purge', 'remove it'],
      ['inspect', 'read it'],
    ],
  ] as const;
  return rows.map(([[left, leftWords], [middle, middleWords], [right, rightWords]], index) => {
    const program = (index === 0 ? 'telemetryctl' : '').padEnd(13);
    const first = `${program}${left.padEnd(15)}${leftWords.padEnd(14)}`;
    return `${first}${middle.padEnd(8)}${middleWords.padEnd(15)}${right.padEnd(8)}${rightWords}`;
  });
}

/** `""` for always; a long list of hours does not fit and is named instead. */
function hoursWords(spec: string): string {
  const canonical = canonicalHours(spec);
  if (canonical === '' || canonical === 'never') return canonical;
  return canonical.length <= 30 ? `at ${canonical}` : 'at the hours that the policy names';
}

function cut(url: string): string {
  return url.length <= 60 ? url : `${url.slice(0, 59)}…`;
}
