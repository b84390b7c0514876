import { basename, dirname, join } from 'node:path';
import type { PolicyProblem } from '../core/policy.ts';

/** Where the files are and who must own them. */
export interface PolicyPaths {
  readonly policyFile: string;
  /** `null`: there are no preferences. */
  readonly preferencesFile: string | null;
  /** The system service: the policy must be root's own. */
  readonly isSystem: boolean;
  /** The user id of the person whose input it is; the preferences must be theirs. */
  readonly personUid: number;
  /** Somebody named the policy file, so a missing one is an error rather than the defaults. */
  readonly isPolicyRequired: boolean;
}

/** No policy could be made of the files. */
export interface Refused {
  readonly policy: null;
  readonly problems: readonly PolicyProblem[];
}

/** Where the drop-ins of a policy file lie: `policy.d` beside a `policy.toml`; `null` for a file of another name. */
export function dropInFolder(policyFile: string): string | null {
  return basename(policyFile) === 'policy.toml' ? join(dirname(policyFile), 'policy.d') : null;
}
