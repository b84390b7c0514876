import { parse, TomlError } from 'smol-toml';
import type { z } from 'zod';
import { messageOf, TelemetryError } from '../core/errors.ts';
import type { PolicyProblem } from '../core/policy.ts';
import { isPolicyPart, POLICY_ENTRIES, type PolicyPart } from '../core/policy-lattice.ts';
import { DEFAULT_POLICY } from './defaults.ts';
import { nearest } from './nearest.ts';
import { FILE_NAMES, type PolicyFile, policyFileSchema } from './schema.ts';
import { locateToml, type Place, type TomlPlaces } from './toml-locator.ts';

/** What one file says, or everything that is wrong with it. */
export type ParsedFile =
  | { readonly kind: 'refused'; readonly problems: readonly PolicyProblem[] }
  | {
      readonly kind: 'ok';
      readonly part: PolicyPart;
      /** Paths in file spelling that the file sets. */
      readonly paths: ReadonlySet<string>;
      /** `file:line:column` of a path's value. */
      readonly where: (path: string) => string;
    };

/** A file with a thousand mistakes is no policy; nobody reads more of them than this. */
const MAX_PROBLEMS = 50;
/** Deeper nesting than a policy can have: a list in a table. */
const MAX_DEPTH = 8;

/** Parses and checks the text of a policy or preferences file, all of it. `file` is how messages name it. */
export function parsePolicyFile(file: string, text: string): ParsedFile {
  let document: object;
  try {
    document = parse(text, { unsafeKeyBehaviour: 'throw', maxDepth: MAX_DEPTH });
  } catch (error) {
    return { kind: 'refused', problems: [syntaxProblem(file, error)] };
  }
  const places = locateToml(text);
  const checked = policyFileSchema.safeParse(document);
  if (checked.success) return accepted(file, checked.data, places);
  const found = firstOfEachPath(checked.error.issues).flatMap((issue) => problemsOf(issue, places));
  found.sort((left, right) => left.place.line - right.place.line || left.place.column - right.place.column);
  const problems = found.map(({ place, text: what, hint }) => problem(at(file, place), what, hint));
  if (problems.length <= MAX_PROBLEMS) return { kind: 'refused', problems };
  const more = `there are ${problems.length - MAX_PROBLEMS} more problems`;
  return {
    kind: 'refused',
    problems: [...problems.slice(0, MAX_PROBLEMS), problem(file, more, 'mend these first')],
  };
}

function accepted(file: string, data: PolicyFile, places: TomlPlaces): ParsedFile {
  const said: Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>> = data;
  const part: Record<string, Record<string, unknown>> = {};
  const paths = new Set<string>();
  for (const { section, name, path } of POLICY_ENTRIES) {
    const value = path === null ? undefined : said[section]?.[path.slice(section.length + 1)];
    if (path === null || value === undefined) continue;
    part[section] = { ...part[section], [name]: value };
    paths.add(path);
  }
  // Named networks bind even a collector on this machine; see `Policy.upload`.
  if (paths.has('upload.networks')) part['upload'] = { ...part['upload'], isNetworksExplicit: true };
  if (!isPolicyPart(part)) {
    throw new TelemetryError('failed', 'the policy schema and the table of fields disagree', {
      op: 'read policy',
    });
  }
  return { kind: 'ok', part, paths, where: (path) => at(file, places.ofValue(path.split('.'))) };
}

function syntaxProblem(file: string, error: unknown): PolicyProblem {
  if (!(error instanceof TomlError)) return problem(file, `cannot be parsed: ${messageOf(error)}`, '');
  const what = messageOf(error).replace(/^Invalid TOML document: /, '');
  return problem(
    at(file, error),
    `not TOML: ${what}`,
    'name = value, text in quotes, lists in [ ], each name once; see https://toml.io',
  );
}

/** A text where a list belongs is also "too long" for the schema; the first thing wrong with a value is enough. */
function firstOfEachPath(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  const seen = new Set<string>();
  return issues.filter(({ code, path }) => {
    const key = JSON.stringify([code === 'unrecognized_keys', ...path.map(String)]);
    return !seen.has(key) && seen.add(key);
  });
}

interface Found {
  readonly place: Place;
  readonly text: string;
  readonly hint: string;
}

function problemsOf(issue: z.core.$ZodIssue, places: TomlPlaces): Found[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownName(path, key, places));
  if (path.length === 1) {
    const section = String(path[0]);
    return [
      {
        place: places.ofKey(path),
        text: `${section} must be a table`,
        hint: `[${section}] on a line of its own`,
      },
    ];
  }
  const given: unknown = issue.code === 'custom' ? issue.params?.['hint'] : undefined;
  return [
    {
      place: places.ofValue(path),
      text: `${spell(path)} ${issue.message}`,
      hint: hintFor(path, typeof given === 'string' ? given : ''),
    },
  ];
}

function unknownName(path: readonly PropertyKey[], key: string, places: TomlPlaces): Found {
  const place = places.ofKey([...path, key]);
  const text = `${spell([...path, key])} is not a known name`;
  const section = String(path[0] ?? '');
  if (path.length === 0) {
    const sections = Object.keys(FILE_NAMES);
    const home = sections.find((name) => FILE_NAMES[name]?.includes(key));
    const guess = nearest(key, sections);
    if (home !== undefined) return { place, text, hint: `It belongs under [${home}].` };
    return {
      place,
      text,
      hint: guess === undefined ? `Sections are ${sections.join(', ')}.` : `[${guess}]`,
    };
  }
  const known = FILE_NAMES[section] ?? [];
  const home = Object.keys(FILE_NAMES).find((name) => FILE_NAMES[name]?.includes(key));
  if (home !== undefined) return { place, text, hint: `It belongs under [${home}].` };
  const guess = nearest(key, known);
  if (guess !== undefined) return { place, text, hint: guess };
  const elsewhere = nearestAnywhere(key);
  return { place, text, hint: elsewhere ?? `[${section}] has ${known.join(', ')}.` };
}

function nearestAnywhere(key: string): string | undefined {
  const guess = nearest(key, Object.values(FILE_NAMES).flat());
  const home = Object.keys(FILE_NAMES).find(
    (name) => guess !== undefined && FILE_NAMES[name]?.includes(guess),
  );
  return guess === undefined || home === undefined ? undefined : `${guess} under [${home}]`;
}

/** A hint that is a value becomes the line to write; without one the default serves as the example. */
function hintFor(path: readonly PropertyKey[], given: string): string {
  const name = path.slice(0, 2).map(String).join('.');
  if (given.startsWith('"')) return `${name} = ${given}`;
  if (given !== '') return given;
  const standard = POLICY_ENTRIES.find((entry) => entry.path === name)?.toml(DEFAULT_POLICY) ?? '';
  return /^(?:|""|\[\]|\(.*)$/.test(standard)
    ? 'docs/policy.md lists every field'
    : `${name} = ${standard}, the default`;
}

/** `upload.networks[1]`, with odd names in quotes and long ones cut. */
function spell(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      const name = String(part).slice(0, 60);
      return `${index === 0 ? '' : '.'}${/^[\w-]+$/.test(name) ? name : JSON.stringify(name)}`;
    })
    .join('');
}

function at(file: string, { line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

function problem(where: string, text: string, hint: string): PolicyProblem {
  return { severity: 'error', where, text, hint };
}
