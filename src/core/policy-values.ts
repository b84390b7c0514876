import { canonicalJson } from './canonical-json.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { parseHours } from './hours.ts';
import { canonicalHours } from './hours-overlap.ts';
import { formatSize } from './size.ts';

/** How one type of policy value is told from others, compared and written. */
export interface ValueKind<Value> {
  /** Checks a value that was read back from a file of ours. */
  readonly is: (value: unknown) => value is Value;
  /** As a policy file has it: `"30m"`, `["wifi"]`, `125`. */
  readonly toml: (value: Value) => string;
  /** As a sentence has it. */
  readonly say: (value: Value) => string;
  /** Equal for two values exactly when they mean the same. */
  readonly meaning: (value: Value) => string;
}

/** One of some words. */
export function oneOf<Word extends string>(...words: readonly Word[]): ValueKind<Word> {
  return plain(
    (value): value is Word => words.some((word) => word === value),
    quote,
    (value) => value,
  );
}

/** Any text; `empty` is how a sentence says that there is none. */
export function anyText(empty: string): ValueKind<string> {
  return plain(isString, quote, (value) => (value === '' ? empty : value));
}

export const WHOLE_NUMBER: ValueKind<number> = plain(isCount, String, String);
export const DURATION_MS: ValueKind<number> = plain(isCount, (ms) => quote(exactDuration(ms)), exactDuration);
export const SIZE_BYTES: ValueKind<number> = plain(isCount, (bytes) => quote(formatSize(bytes)), formatSize);
export const RATE: ValueKind<number> = plain(
  isCount,
  (bytes) => quote(`${formatSize(bytes)}/s`),
  (bytes) => `${formatSize(bytes)} a second`,
);
export const FRACTION: ValueKind<number> = plain(
  (value): value is number => typeof value === 'number' && value >= 0 && value <= 1,
  (fraction) => quote(percent(fraction)),
  percent,
);
export const YES_NO: ValueKind<boolean> = plain(
  (value) => typeof value === 'boolean',
  String,
  (value) => (value ? 'yes' : 'no'),
);
/** A length of time, or `null` when it is not stated; then a file leaves it out. */
export const STATED_DURATION_MS: ValueKind<number | null> = plain(
  (value): value is number | null => value === null || isCount(value),
  (ms) => (ms === null ? '(not set)' : DURATION_MS.toml(ms)),
  (ms) => (ms === null ? 'not stated' : exactDuration(ms)),
);
/** A spec of weekly hours; see `core/hours.ts`. */
export const HOURS: ValueKind<string> = {
  is: (value): value is string => isString(value) && parseHours(value) !== undefined,
  toml: quote,
  say: (value) => (canonicalHours(value) === '' ? 'always' : value),
  meaning: canonicalHours,
};

/** Names whose order does not matter; `empty` is how a sentence says that there are none. */
export function namesOf<Name extends string>(
  isName: (value: unknown) => value is Name,
  empty: string,
): ValueKind<readonly Name[]> {
  return {
    is: (value): value is readonly Name[] => Array.isArray(value) && value.every(isName),
    toml: (names) => `[${names.map(quote).join(', ')}]`,
    say: (names) => (names.length === 0 ? empty : names.join(', ')),
    meaning: (names) => canonicalJson([...new Set(names)].sort()),
  };
}

export function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function plain<Value>(
  is: (value: unknown) => value is Value,
  toml: (value: Value) => string,
  say: (value: Value) => string,
): ValueKind<Value> {
  return { is, toml, say, meaning: canonicalJson };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** JSON's strings are TOML's basic strings, except that TOML wants DEL escaped (https://toml.io/en/v1.0.0#string). */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007F');
}

/** `formatDuration` prints two units at most; a duration that needs more is printed in milliseconds. */
function exactDuration(ms: number): string {
  const text = formatDuration(ms);
  return parseDuration(text) === ms ? text : `${ms}ms`;
}

function percent(fraction: number): string {
  return `${Number((fraction * 100).toFixed(4))}%`;
}
