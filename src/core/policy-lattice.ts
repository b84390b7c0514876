import type { Policy } from './policy.ts';
import { type FieldStanding, POLICY_FIELDS, type PolicyField, type SectionFields } from './policy-fields.ts';

/** Some fields of a policy: what one file says. A whole policy is one, too. */
export type PolicyPart = { readonly [Name in keyof Policy]?: Partial<Policy[Name]> };

/** One field of the policy with its place, for code that goes through all of them. */
export interface FieldEntry {
  readonly section: keyof Policy;
  /** Name in {@link Policy}. */
  readonly name: string;
  /** Dotted path in file spelling (`upload.daily_budget`); `null` for what a file sets by way of another field. */
  readonly path: string | null;
  readonly label: string;
  readonly standing: FieldStanding;
  /** Its value as a policy file has it, and as a sentence has it. */
  readonly toml: (policy: Policy) => string;
  readonly say: (policy: Policy) => string;
  readonly isSame: (a: Policy, b: Policy) => boolean;
  /** Whether `to` is less private than `from` in this field, or another agreement. */
  readonly widens: (from: Policy, to: Policy) => boolean;
}

/**
 * The policy with everything in which the preferences are more private. Preferences change no field that is fixed,
 * operational or for the policy alone to state. Idempotent and monotone; never less private than `policy`.
 */
export function mergePolicy(policy: Policy, preferences: PolicyPart): Policy {
  return buildPolicy((name) => mergeSection(POLICY_FIELDS[name], policy[name], preferences[name] ?? {}));
}

/** What `part` says, and for the rest what `base` says: how a policy file stands on the defaults. */
export function overlayPolicy(base: Policy, part: PolicyPart): Policy {
  return buildPolicy((name) => ({ ...base[name], ...part[name] }));
}

/**
 * In words, everything in which `to` takes more, keeps longer, shows to others, costs more or promises less than
 * `from`, and every fixed field that changed. Consent to `from` holds for `to` exactly when there is nothing.
 */
export function widenings(from: Policy, to: Policy): string[] {
  return POLICY_ENTRIES.filter((entry) => entry.widens(from, to)).map(
    (entry) => `${entry.label}: was ${entry.say(from)}, is now ${entry.say(to)}.`,
  );
}

/** Checks a whole policy that was read back from a file of ours: every field, its type, and no other. */
export function isPolicy(value: unknown): value is Policy {
  return hasExactly(value, SECTIONS) && SECTIONS.every((name) => isSection(name, value[name], true));
}

/** Checks what one file says, in the units of {@link Policy}. */
export function isPolicyPart(value: unknown): value is PolicyPart {
  if (!isRecord(value)) return false;
  return Object.entries(value).every(([name, section]) => {
    const known = SECTIONS.find((candidate) => candidate === name);
    return known !== undefined && isSection(known, section, false);
  });
}

function buildPolicy(section: <Name extends keyof Policy>(name: Name) => Policy[Name]): Policy {
  return {
    capture: section('capture'),
    notice: section('notice'),
    encrypt: section('encrypt'),
    exclude: section('exclude'),
    pause: section('pause'),
    segment: section('segment'),
    spool: section('spool'),
    upload: section('upload'),
    exemptions: section('exemptions'),
    limits: section('limits'),
  };
}

function mergeSection<Section extends object>(
  fields: SectionFields<Section>,
  policy: Section,
  preferences: Partial<Section>,
): Section {
  const merged = { ...policy };
  for (const key of keysOf<Section>(fields)) {
    const preference = preferences[key];
    const { standing, meet } = fields[key];
    if (standing === 'private' && preference !== undefined) merged[key] = meet(policy[key], preference);
  }
  return merged;
}

const SECTIONS = keysOf<Policy>(POLICY_FIELDS);

/** Every field, in the order of the policy file. */
export const POLICY_ENTRIES: readonly FieldEntry[] = SECTIONS.flatMap((section) => entriesOf(section));

function entriesOf<Name extends keyof Policy>(section: Name): (FieldEntry & { readonly section: Name })[] {
  const fields: SectionFields<Policy[Name]> = POLICY_FIELDS[section];
  return keysOf<Policy[Name]>(fields).map((key) => entryOf(section, key, fields[key]));
}

function entryOf<Name extends keyof Policy, Key extends keyof Policy[Name]>(
  section: Name,
  name: Key,
  field: PolicyField<Policy[Name][Key]>,
): FieldEntry & { readonly section: Name } {
  const { key, label, standing, kind } = field;
  const isSame = (a: Policy, b: Policy): boolean =>
    kind.meaning(a[section][name]) === kind.meaning(b[section][name]);
  return {
    section,
    name: String(name),
    path: key === null ? null : `${section}.${key}`,
    label,
    standing,
    toml: (policy) => kind.toml(policy[section][name]),
    say: (policy) => kind.say(policy[section][name]),
    isSame,
    widens: (from, to) => {
      if (standing === 'operational') return false;
      const kept = field.meet(from[section][name], to[section][name]);
      return kind.meaning(kept) !== kind.meaning(to[section][name]);
    },
  };
}

function isSection<Name extends keyof Policy>(
  name: Name,
  value: unknown,
  isWhole: boolean,
): value is Partial<Policy[Name]> {
  const fields: SectionFields<Policy[Name]> = POLICY_FIELDS[name];
  const keys = keysOf<Policy[Name]>(fields);
  if (!isRecord(value) || !Object.keys(value).every((found) => keys.some((key) => key === found)))
    return false;
  return keys.every((key) => (Object.hasOwn(value, key) ? fields[key].kind.is(value[key]) : !isWhole));
}

function hasExactly<Name extends string>(
  value: unknown,
  names: readonly Name[],
): value is Record<Name, unknown> {
  return (
    isRecord(value) &&
    Object.keys(value).length === names.length &&
    names.every((name) => Object.hasOwn(value, name))
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The names in a table that is complete by its type. */
function keysOf<Thing>(table: Record<keyof Thing, unknown>): (keyof Thing & string)[] {
  return Object.keys(table) as (keyof Thing & string)[];
}
