import { counted } from '../../core/amounts.ts';
import type { Check, Severity } from '../doctor/check.ts';
import { type Colour, paint } from './colour.ts';
import { COLUMNS, wrap } from './layout.ts';

const WORDS: Readonly<Record<Severity, string>> = {
  ok: 'ok',
  warn: 'warning',
  fail: 'FAILED',
  skipped: 'skipped',
};
const COLOURS: Readonly<Record<Severity, Colour | null>> = {
  ok: 'green',
  warn: 'yellow',
  fail: 'red',
  skipped: null,
};
const SEVERITY_COLUMNS = 9;
const NAME_COLUMNS = 14;

/** What a diagnosis found, a paragraph a check, and a last line that counts. */
export function doctorPage(checks: readonly Check[], hasColour: boolean): string {
  return `${checks.map((check) => paragraphOf(check, hasColour)).join('\n')}\n\n${summary(checks)}\n`;
}

function paragraphOf({ name, severity, text, fix }: Check, hasColour: boolean): string {
  const indent = SEVERITY_COLUMNS + NAME_COLUMNS;
  const hint = fix === '' ? [] : wrap(`Try: ${fix}`, COLUMNS - indent);
  const [first = '', ...rest] = [...wrap(text, COLUMNS - indent), ...hint];
  const word = WORDS[severity];
  const colour = COLOURS[severity];
  const shown = colour === null ? word : paint(word, colour, hasColour);
  const head = `${shown}${' '.repeat(SEVERITY_COLUMNS - word.length)}${name.padEnd(NAME_COLUMNS)}${first}`;
  return [head, ...rest.map((line) => `${' '.repeat(indent)}${line}`)].join('\n');
}

function summary(checks: readonly Check[]): string {
  const of = (severity: Severity): number => checks.filter((check) => check.severity === severity).length;
  return `${of('ok')} ok, ${counted(of('warn'), 'warning')}, ${of('fail')} failed, ${of('skipped')} skipped.`;
}
