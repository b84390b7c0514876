import type { LoadedPolicy, PolicyProblem } from '../../core/policy.ts';
import { POLICY_ENTRIES } from '../../core/policy-lattice.ts';
import type { Patient } from '../doctor/patient.ts';

/** Fields whose value names people, programs, windows, networks or keys; of them only whether they are set is told. */
const NAMING: readonly string[] = [
  'capture.full_apps',
  'encrypt.recipients',
  'exclude.apps',
  'exclude.titles',
  'exemptions.recipients',
  'upload.ssids',
];

/** The policy that the files say, as far as it names nobody and nothing of a person's. */
export function policyPart({ policy, place }: Patient): object {
  const problems = policy.problems.map((problem) => problemPart(problem, place.preferencesPath));
  if (policy.policy === null) return { isRefused: true, problems };
  return { isRefused: false, problems, fields: fieldsOf(policy) };
}

/** Of a problem in somebody's preferences only where it is: its words may repeat what they wrote there. */
export function problemPart(problem: PolicyProblem, preferencesPath: string | null): object {
  const { severity, where, text } = problem;
  const isTheirs = isOfPreferences(problem, preferencesPath);
  return { severity, where, text: isTheirs ? '(not told: it is in somebody’s preferences)' : text };
}

/** Whether a problem is in somebody's preferences. */
export function isOfPreferences({ where }: PolicyProblem, preferencesPath: string | null): boolean {
  return preferencesPath !== null && where.startsWith(preferencesPath);
}

function fieldsOf({ policy, origins }: LoadedPolicy): Record<string, object> {
  const fields: Record<string, object> = {};
  for (const { path, toml } of POLICY_ENTRIES) {
    if (path === null) continue;
    const origin = origins[path] ?? 'default';
    const isNamed = path.startsWith('notice.') || NAMING.includes(path) || origin === 'preferences';
    fields[path] = isNamed ? { origin, value: '(not told)' } : { origin, value: toml(policy) };
  }
  return fields;
}
