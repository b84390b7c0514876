import { createHash } from 'node:crypto';
import { canonicalJson } from '../core/canonical-json.ts';
import type { Policy } from '../core/policy.ts';

/** What names a policy: the first 16 hexadecimal digits of the SHA-256 of its canonical JSON. */
export function policyId(policy: Policy): string {
  return createHash('sha256').update(canonicalJson(policy)).digest('hex').slice(0, 16);
}
