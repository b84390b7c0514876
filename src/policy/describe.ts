import type { LoadedPolicy, PolicyOrigin, PolicyProblem } from '../core/policy.ts';
import { POLICY_ENTRIES } from '../core/policy-lattice.ts';
import { DEFAULT_REASONS } from './defaults.ts';

/** One field of the policy in force. */
export interface PolicyRow {
  /** `upload.daily_budget` */
  readonly path: string;
  /** As a policy file has it. */
  readonly value: string;
  readonly origin: PolicyOrigin;
  /** Why the default is what it is; `""` where the value is not the default's. */
  readonly reason: string;
}

/** Every field of the policy in force with where it came from, in the order of the policy file. */
export function policyRows({ policy, origins }: Pick<LoadedPolicy, 'policy' | 'origins'>): PolicyRow[] {
  return POLICY_ENTRIES.flatMap(({ path, toml }) => {
    if (path === null) return [];
    const origin = origins[path] ?? 'default';
    const reason = origin === 'default' ? (DEFAULT_REASONS[path] ?? '') : '';
    return [{ path, value: toml(policy), origin, reason }];
  });
}

/** The same as text, a line a field: where it came from, then the line a policy file would have. */
export function policyText(loaded: Pick<LoadedPolicy, 'policy' | 'origins'>): string {
  const rows = policyRows(loaded);
  return rows.map(({ path, value, origin }) => `  ${origin.padEnd(12)}${path} = ${value}\n`).join('');
}

/** A problem as text: where, what, and on a line of its own what to do. */
export function problemText({ severity, where, text, hint }: PolicyProblem): string {
  const place = where === '' ? '' : `${where}: `;
  const advice = severity === 'error' ? 'Try' : 'Note';
  return `${place}${severity}: ${text}\n${hint === '' ? '' : `  ${advice}: ${hint}\n`}`;
}
