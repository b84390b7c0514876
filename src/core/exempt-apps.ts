import type { Policy } from './policy.ts';

/**
 * The policy with these applications left out as well. Where the application in use is not known nothing is captured
 * then, whatever the policy says of that: it could be one of them.
 */
export function withExemptApps(policy: Policy, apps: readonly string[]): Policy {
  if (apps.length === 0) return policy;
  return {
    ...policy,
    capture: { ...policy.capture, focusUnknown: 'block' },
    exclude: { ...policy.exclude, apps: [...new Set([...policy.exclude.apps, ...apps])] },
  };
}
