import { existsSync } from 'node:fs';
import process from 'node:process';
import { EXIT } from '../core/errors.ts';
import type { LoadedPolicy, PolicyProblem } from '../core/policy.ts';
import { policyRows, policyText, problemText } from './describe.ts';
import { combine, isAccepted, joined, sourceOf } from './load.ts';
import { type ParsedFile, parsePolicyFile } from './parse-file.ts';
import { dropInFolder, type Refused } from './policy-outcome.ts';
import { configFiles, readConfig } from './read-config.ts';

/** What `telemetryd check-policy FILE` answers. */
export interface PolicyCheck {
  readonly exitCode: number;
  /** For a terminal; ends with a line end. */
  readonly text: string;
  /** For `--json`; fields are only ever added. */
  readonly json: object;
}

/** Checks a policy file, with the drop-ins that the daemon would read with it, and without anyone's preferences. */
export function checkPolicy(file: string): PolicyCheck {
  const outcome = check(file);
  const errors = outcome.problems.filter(({ severity }) => severity === 'error').length;
  const problems = outcome.problems.map(problemText).join('');
  if (outcome.policy === null) {
    return {
      exitCode: EXIT.badConfiguration,
      text: `${problems}${file} is refused: ${errors === 1 ? 'one error' : `${errors} errors`}.\n`,
      json: { schema: 1, file, valid: false, problems: outcome.problems, policy: null },
    };
  }
  return {
    exitCode: EXIT.ok,
    text: `${problems}${file} is valid (policy ${outcome.id}). In force with ${inForceWith(file)}:\n${policyText(outcome)}`,
    json: { schema: 1, file, valid: true, problems: outcome.problems, policy: inForce(outcome) },
  };
}

function inForce(loaded: LoadedPolicy): object {
  return { id: loaded.id, fields: policyRows(loaded) };
}

function check(file: string): LoadedPolicy | Refused {
  const files = [file, ...dropInsOf(file)];
  const read = files.map((path) => readOne(path));
  const refusals = read.flatMap(({ parsed }) => (parsed.kind === 'refused' ? parsed.problems : []));
  const unsafe = read.flatMap((one) => (one.unsafe === null ? [] : [softened(one.unsafe)]));
  if (refusals.length > 0) return { policy: null, problems: [...refusals, ...unsafe] };
  const [first, ...dropIns] = read.map(({ parsed }) => parsed);
  const source = first === undefined ? file : sourceOf(file, first, dropIns.length);
  const outcome = combine(source, joined(read.map(({ parsed }) => parsed).filter(isAccepted)));
  return { ...outcome, problems: [...outcome.problems, ...unsafe] };
}

function readOne(path: string): { readonly parsed: ParsedFile; readonly unsafe: PolicyProblem | null } {
  const read = readConfig(path, { uids: [process.getuid?.() ?? 0, 0], words: 'the person or root' });
  if (read.kind === 'absent') return { parsed: { kind: 'refused', problems: [missing(path)] }, unsafe: null };
  if (read.kind === 'refused') return { parsed: { kind: 'refused', problems: [read.problem] }, unsafe: null };
  return { parsed: parsePolicyFile(path, read.text), unsafe: read.unsafe };
}

/** In `policy.d` beside a `policy.toml`. */
function dropInsOf(file: string): string[] {
  const folder = dropInFolder(file);
  return folder !== null && existsSync(folder) ? configFiles(folder, '.toml') : [];
}

function inForceWith(file: string): string {
  const { length } = dropInsOf(file);
  return length === 0 ? 'it alone' : `it and its ${length === 1 ? 'drop-in' : `${length} drop-ins`}`;
}

/** A file may be checked in a place, such as a work copy, where its mode does not matter; the daemon would refuse it. */
function softened(unsafe: PolicyProblem): PolicyProblem {
  return { ...unsafe, severity: 'notice', text: `the file ${unsafe.text}; the daemon refuses it like this` };
}

function missing(file: string): PolicyProblem {
  return { severity: 'error', where: file, text: 'does not exist', hint: 'name an existing file' };
}
