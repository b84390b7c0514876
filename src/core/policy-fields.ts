import { overlapHours } from './hours-overlap.ts';
import type { Policy, UploadNetwork } from './policy.ts';
import {
  anyText,
  DURATION_MS,
  FRACTION,
  HOURS,
  isString,
  namesOf,
  oneOf,
  RATE,
  SIZE_BYTES,
  STATED_DURATION_MS,
  type ValueKind,
  WHOLE_NUMBER,
  YES_NO,
} from './policy-values.ts';

/**
 * What a field has to do with privacy.
 *
 * `private`: it has a more private direction, and a person's preferences may move it that way. `stated`: it has such
 * a direction, but binds others than this machine, or limits the person, so the policy alone sets it. `fixed`: any
 * other value is another agreement. `operational`: no promise of the notice depends on it; the policy alone sets it.
 */
export type FieldStanding = 'private' | 'stated' | 'fixed' | 'operational';

/** All that is known of one field of the policy. */
export interface PolicyField<Value> {
  /** Its name in its section of a file; `null` for what a file sets only by way of another field. */
  readonly key: string | null;
  /** The beginning of a sentence about it. */
  readonly label: string;
  readonly standing: FieldStanding;
  readonly kind: ValueKind<Value>;
  /**
   * The more private of two values. A field without a direction keeps `a`, save that giving a thing up altogether is
   * no less private (no destination is a smaller promise than any).
   */
  readonly meet: (a: Value, b: Value) => Value;
}

/** The fields of one section. */
export type SectionFields<Section> = { readonly [Key in keyof Section]: PolicyField<Section[Key]> };

/** Every field of every section, so that a new field without an entry does not compile. */
export type PolicyFields = { readonly [Name in keyof Policy]: SectionFields<Policy[Name]> };

/**
 * What `upload.ssids` becomes when policy and preferences name no network in common: an empty list would allow all.
 * Longer than the 32 octets of an SSID (IEEE 802.11, 9.4.2.2), so no network can have this name.
 */
export const NO_COMMON_SSID = '(none: policy and preferences have no network in common)';

const KEY_MODES = oneOf('off', 'activity', 'shortcuts', 'full');
const FOCUS_UNKNOWN = oneOf('block', 'no-keys', 'record');
const POWER = oneOf('ac', 'any');
const WHILE_PENDING = oneOf('pause', 'withhold');
const BACKEND = anyText('none');
const NOT_GIVEN = anyText('not given');
const NO_NAMES = namesOf(isString, 'none');
const ANY_NAMES = namesOf(isString, 'any');
const NETWORKS = namesOf(
  (value): value is UploadNetwork => value === 'wifi' || value === 'ethernet' || value === 'cellular',
  'none',
);

/** The one table of the policy's fields: names, types, and which way is more private. */
export const POLICY_FIELDS: PolicyFields = {
  capture: {
    keys: field(
      'keys',
      'Detail of keys',
      'private',
      KEY_MODES,
      earliest('off', 'activity', 'shortcuts', 'full'),
    ),
    mouseHz: field('mouse_hz', 'Mouse positions a second', 'private', WHOLE_NUMBER, Math.min),
    backend: field('backend', 'Way of capture', 'operational', BACKEND, first),
    hours: field('hours', 'Hours of collection', 'private', HOURS, overlapHours),
    focusUnknown: field(
      'focus_unknown',
      'Where the application in use is not known',
      'private',
      FOCUS_UNKNOWN,
      earliest('block', 'no-keys', 'record'),
    ),
    fullApps: field('full_apps', 'Applications with every key recorded', 'private', NO_NAMES, common),
  },
  notice: {
    controller: field('controller', 'Who is responsible', 'fixed', NOT_GIVEN, first),
    contact: field('contact', 'Contact', 'operational', NOT_GIVEN, first),
    purpose: field('purpose', 'Purpose', 'fixed', NOT_GIVEN, first),
    basis: field('basis', 'Legal basis', 'fixed', NOT_GIVEN, first),
    readers: field('readers', 'Who reads the data', 'fixed', NOT_GIVEN, first),
    serverRetentionMs: field(
      'server_retention',
      'Kept by the collector for',
      'stated',
      STATED_DURATION_MS,
      shorter,
    ),
  },
  encrypt: {
    recipients: field('recipients', 'Who can open the files', 'fixed', NO_NAMES, common),
  },
  exclude: {
    apps: field('apps', 'Applications left out', 'private', NO_NAMES, union),
    titles: field('titles', 'Window titles left out', 'private', NO_NAMES, union),
  },
  pause: { maxMs: field('max', 'Longest pause', 'stated', DURATION_MS, Math.max) },
  segment: {
    rollMs: field('roll', 'A new file every', 'operational', DURATION_MS, first),
    flushMs: field('flush', 'Written to disk every', 'operational', DURATION_MS, first),
  },
  spool: {
    limitBytes: field('limit', 'Space on this disk', 'private', SIZE_BYTES, Math.min),
    retentionMs: field('retention', 'Kept here unsent for', 'private', DURATION_MS, Math.min),
    keepSentMs: field('keep_sent', 'Kept here after sending for', 'private', DURATION_MS, Math.min),
  },
  upload: {
    url: field('url', 'Destination', 'fixed', anyText('nowhere'), (a, b) => (b === '' ? b : a)),
    power: field('power', 'Power to send on', 'private', POWER, earliest('ac', 'any')),
    networks: field('networks', 'Networks to send on', 'private', NETWORKS, common),
    isNetworksExplicit: field(
      null,
      'Network rule for a collector on this machine',
      'private',
      YES_NO,
      either,
    ),
    metered: field('metered', 'Sends on metered networks', 'private', YES_NO, both),
    ssids: field('ssids', 'Wi-Fi names to send on', 'private', ANY_NAMES, commonSsids),
    holdBackMs: field('hold_back', 'Held back before sending for', 'private', DURATION_MS, Math.max),
    dailyBudgetBytes: field('daily_budget', 'Sent a day, at most', 'private', SIZE_BYTES, Math.min),
    monthlyBudgetBytes: field('monthly_budget', 'Sent a month, at most', 'private', SIZE_BYTES, Math.min),
    rateBytesPerSecond: field('rate', 'Speed of sending, at most', 'private', RATE, Math.min),
    schedule: field('schedule', 'Sending is tried at', 'operational', NOT_GIVEN, first),
    hours: field('hours', 'Hours of sending', 'private', HOURS, overlapHours),
  },
  exemptions: {
    whilePending: field(
      'while_pending',
      'While an exemption is asked for',
      'private',
      WHILE_PENDING,
      earliest('pause', 'withhold'),
    ),
    // Whoever asks is shown them and decides then whether to give a reason: no promise of the notice depends on it.
    recipients: field('recipients', 'Who reads the reasons for exemptions', 'operational', NO_NAMES, first),
  },
  limits: {
    cpuFraction: field('cpu', 'Processor use, at most', 'private', FRACTION, Math.min),
    memoryBytes: field('memory', 'Memory, at most', 'private', SIZE_BYTES, Math.min),
  },
};

function field<Value>(
  key: string | null,
  label: string,
  standing: FieldStanding,
  kind: ValueKind<Value>,
  meet: (a: Value, b: Value) => Value,
): PolicyField<Value> {
  return { key, label, standing, kind, meet };
}

function first<Value>(a: Value): Value {
  return a;
}

/** Words from the most private to the least. */
function earliest<Word extends string>(...words: readonly Word[]): (a: Word, b: Word) => Word {
  return (a, b) => (words.indexOf(a) <= words.indexOf(b) ? a : b);
}

function either(a: boolean, b: boolean): boolean {
  return a || b;
}

function both(a: boolean, b: boolean): boolean {
  return a && b;
}

/** Not stated is as good as for ever. */
function shorter(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

function union(a: readonly string[], b: readonly string[]): readonly string[] {
  return [...new Set([...a, ...b])];
}

function common<Name extends string>(a: readonly Name[], b: readonly Name[]): readonly Name[] {
  return a.filter((name) => b.includes(name));
}

/** An empty list allows every network. */
function commonSsids(a: readonly string[], b: readonly string[]): readonly string[] {
  if (a.length === 0 || b.length === 0) return a.length === 0 ? b : a;
  const names = common(a, b);
  return names.length === 0 ? [NO_COMMON_SSID] : names;
}
