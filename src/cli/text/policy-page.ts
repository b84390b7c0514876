import type { LoadedPolicy, PolicyProblem } from '../../core/policy.ts';
import { POLICY_ENTRIES } from '../../core/policy-lattice.ts';
import { printable } from '../../core/printable.ts';
import { paragraph } from './layout.ts';

/** Where the comments begin, unless a value is longer. */
const COMMENT_COLUMN = 44;

/** The policy as a policy file that would give it, each value with where it comes from. Ends in a line end. */
export function policyPage({ policy, id, source, origins, problems }: LoadedPolicy): string {
  const lines = [`# ${printable(source)}, id ${id}`];
  let open = '';
  for (const { path, toml } of POLICY_ENTRIES) {
    if (path === null) continue;
    const [section = '', name = ''] = path.split('.');
    if (section !== open) lines.push(`[${section}]`);
    open = section;
    const value = toml(policy);
    // What is not set has no spelling but its absence.
    const setting = value.startsWith('(') ? `# ${name}: ${value}` : `${name} = ${value}`;
    lines.push(`${printable(setting).padEnd(COMMENT_COLUMN)}  # ${origins[path] ?? 'default'}`);
  }
  return `${lines.join('\n')}\n${problems.length === 0 ? '' : `\n${problemLines(problems)}`}`;
}

/** Each problem with where it is and what to do about it. Ends in a line end, or is empty. */
export function problemLines(problems: readonly PolicyProblem[]): string {
  return problems
    .map(({ severity, where, text, hint }) => {
      const head = `${severity === 'error' ? 'Error' : 'Note'}: ${where === '' ? '' : `${where}: `}${text}`;
      return `${paragraph(head, 0)}\n${hint === '' ? '' : `${paragraph(`Try: ${hint}`)}\n`}`;
    })
    .join('');
}
