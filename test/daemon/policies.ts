import type { LoadedPolicy } from '../../src/core/policy.ts';
import { combine } from '../../src/policy/load.ts';
import { parsePolicyFile } from '../../src/policy/parse-file.ts';
import type { Refused } from '../../src/policy/policy-outcome.ts';

/** What reading a policy file of this text gives. */
export function loadedFrom(text: string): LoadedPolicy {
  const parsed = parsePolicyFile('policy.toml', text);
  const loaded = parsed.kind === 'ok' ? combine('policy.toml', parsed) : undefined;
  if (loaded === undefined || loaded.policy === null) throw new Error('the test’s policy is wrong');
  return loaded;
}

/** What reading a file with a mistake gives. */
export const REFUSED: Refused = {
  policy: null,
  problems: [
    { severity: 'error', where: 'policy.toml:2:1', text: 'keyz is not known', hint: 'did you mean keys?' },
  ],
};

/** Somebody's age recipient (the one of age's own README). */
export const OWNER = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';
