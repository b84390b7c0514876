import { TelemetryError } from '../core/errors.ts';
import type { PolicyPart } from '../core/policy-lattice.ts';
import { parsePolicyFile } from './parse-file.ts';
import { locateToml, type TomlPlaces } from './toml-locator.ts';

/** The lists of names under `[exclude]`. */
export type NameList = 'apps' | 'titles';

/** The names that a preferences file has in one of its lists. `file` is how an error names it. */
export function namesIn(file: string, text: string, list: NameList): readonly string[] {
  return readPart(file, text).exclude?.[list] ?? [];
}

/**
 * The text of a preferences file with one more name in `exclude.<list>`, everything else as the person wrote it,
 * comments too. Throws when the file is refused as it stands, when the name is not one that a policy takes, and when
 * the file is laid out in a way that this cannot add to.
 */
export function addName(file: string, text: string, list: NameList, name: string): string {
  const before = namesIn(file, text, list);
  if (before.includes(name)) return text;
  const parsed = parsePolicyFile(file, `[exclude]\n${list} = [${JSON.stringify(name)}]\n`);
  if (parsed.kind === 'refused') {
    const why = parsed.problems[0]?.text.replace(/^\S+ /, '') ?? 'is not a name';
    throw new TelemetryError('usage', `${JSON.stringify(name)} ${why}.`, { hint: 'a name as people see it' });
  }
  return checked(file, insert(text, list, name), list, [...before, name]);
}

/** The text without the name; as it was when it does not have it. Throws as {@link addName} does. */
export function removeName(file: string, text: string, list: NameList, name: string): string {
  const before = namesIn(file, text, list);
  const index = before.indexOf(name);
  if (index < 0) return text;
  return checked(file, cut(text, list, index, before.length), list, before.toSpliced(index, 1));
}

function insert(text: string, list: NameList, name: string): string {
  const places = locateToml(text);
  const quoted = JSON.stringify(name);
  const whole = places.stretchOfValue(['exclude', list]);
  if (whole !== undefined) {
    const last = lastItem(places, list);
    const place = last?.end ?? whole.start + 1;
    return splice(text, place, place, last === undefined ? quoted : `, ${quoted}`);
  }
  const line = `${list} = [${quoted}]`;
  const header = places.headerEnd(['exclude']);
  if (header !== undefined) {
    const lineEnd = text.indexOf('\n', header);
    const place = lineEnd < 0 ? text.length : lineEnd;
    return splice(text, place, place, `\n${line}`);
  }
  const glue = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${text}${glue}${text === '' ? '' : '\n'}[exclude]\n${line}\n`;
}

function cut(text: string, list: NameList, index: number, count: number): string {
  const places = locateToml(text);
  const item = places.stretchOfValue(['exclude', list, index]);
  if (item === undefined) return text;
  const next = places.stretchOfValue(['exclude', list, index + 1]);
  if (next !== undefined) return splice(text, item.start, next.start, '');
  const previous = places.stretchOfValue(['exclude', list, index - 1]);
  if (previous !== undefined) return splice(text, previous.end, item.end, '');
  const whole = count === 1 ? places.stretchOfValue(['exclude', list]) : undefined;
  return whole === undefined ? text : splice(text, whole.start, whole.end, '[]');
}

function lastItem(places: TomlPlaces, list: NameList) {
  for (let index = 0, last; ; index++) {
    const item = places.stretchOfValue(['exclude', list, index]);
    if (item === undefined) return last;
    last = item;
  }
}

/** A change that does not read back as it was meant is not made. */
function checked(file: string, text: string, list: NameList, names: readonly string[]): string {
  const parsed = parsePolicyFile(file, text);
  const now = parsed.kind === 'ok' ? parsed.part.exclude?.[list] : undefined;
  if (JSON.stringify(now) === JSON.stringify(names)) return text;
  throw new TelemetryError('failed', `${file} is laid out in a way that cannot be changed safely.`, {
    op: 'change preferences',
    hint: `write ${list} = ${JSON.stringify(names)} under [exclude] in it`,
  });
}

function readPart(file: string, text: string): PolicyPart {
  const parsed = parsePolicyFile(file, text);
  if (parsed.kind === 'ok') return parsed.part;
  const [first] = parsed.problems;
  throw new TelemetryError('bad-configuration', `${first?.where ?? file}: ${first?.text ?? 'is refused'}.`, {
    op: 'read preferences',
    hint: first?.hint ?? `telemetryctl policy check ${file}`,
  });
}

function splice(text: string, start: number, end: number, replacement: string): string {
  return text.slice(0, start) + replacement + text.slice(end);
}
