import process from 'node:process';
import { EXIT } from '../core/errors.ts';
import type { LoadedPolicy, PolicyProblem } from '../core/policy.ts';
import { policyRows, policyText, problemText } from './describe.ts';
import { combine } from './load.ts';
import { parsePolicyFile } from './parse-file.ts';
import type { Refused } from './policy-outcome.ts';
import { readConfig } from './read-config.ts';

/** What `telemetryd check-policy FILE` answers. */
export interface PolicyCheck {
  readonly exitCode: number;
  /** For a terminal; ends with a line end. */
  readonly text: string;
  /** For `--json`; fields are only ever added. */
  readonly json: object;
}

/** Checks a policy file alone, without the person's preferences. */
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
    text: `${problems}${file} is valid (policy ${outcome.id}). In force with it alone:\n${policyText(outcome)}`,
    json: { schema: 1, file, valid: true, problems: outcome.problems, policy: inForce(outcome) },
  };
}

function inForce(loaded: LoadedPolicy): object {
  return { id: loaded.id, fields: policyRows(loaded) };
}

function check(file: string): LoadedPolicy | Refused {
  const read = readConfig(file, { uids: [process.getuid?.() ?? 0, 0], words: 'the person or root' });
  if (read.kind === 'absent') return { policy: null, problems: [missing(file)] };
  if (read.kind === 'refused') return { policy: null, problems: [read.problem] };
  const parsed = parsePolicyFile(file, read.text);
  const outcome = parsed.kind === 'ok' ? combine(file, parsed) : { policy: null, problems: parsed.problems };
  return read.unsafe === null
    ? outcome
    : { ...outcome, problems: [...outcome.problems, softened(read.unsafe)] };
}

/** A file may be checked in a place, such as a work copy, where its mode does not matter; the daemon would refuse it. */
function softened(unsafe: PolicyProblem): PolicyProblem {
  return { ...unsafe, severity: 'notice', text: `the file ${unsafe.text}; the daemon refuses it like this` };
}

function missing(file: string): PolicyProblem {
  return { severity: 'error', where: file, text: 'does not exist', hint: 'name an existing file' };
}
