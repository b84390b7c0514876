import { TelemetryError } from '../core/errors.ts';
import type { LoadedPolicy, PolicyOrigin, PolicyProblem } from '../core/policy.ts';
import { isPolicy } from '../core/policy-lattice.ts';
import { policyId } from './policy-id.ts';

/** `policy-last-good.json` in the state folder: what is in force while a file is refused. */
const SCHEMA = 1;

/** What the file of the last good policy holds, ready for JSON. */
export function encodeLastGood(loaded: LoadedPolicy): object {
  return { schema: SCHEMA, loaded };
}

/** Reads it back, by hand and strictly; throws when it is not whole, of another version or was changed. */
export function decodeLastGood(json: unknown): LoadedPolicy {
  const loaded = isRecord(json) && json['schema'] === SCHEMA ? decodeLoadedPolicy(json['loaded']) : undefined;
  if (loaded !== undefined) return loaded;
  throw new TelemetryError('bad-configuration', 'the last good policy is damaged or of another version', {
    op: 'read the last good policy',
    hint: 'mend the policy file; telemetryd check-policy FILE shows what is wrong with it',
  });
}

/** The last good policy as it is put in force while the files are refused for `problems`. */
export function asLastGood(saved: LoadedPolicy, problems: readonly PolicyProblem[]): LoadedPolicy {
  return { ...saved, source: 'last-good', problems };
}

/** Checks a loaded policy that came as JSON; `undefined` when it is not one or its id does not fit it. */
export function decodeLoadedPolicy(json: unknown): LoadedPolicy | undefined {
  if (!isRecord(json)) return undefined;
  const { policy, id, source, origins, problems } = json;
  if (!isPolicy(policy) || id !== policyId(policy) || typeof source !== 'string') return undefined;
  if (!isOrigins(origins) || !isProblems(problems)) return undefined;
  return { policy, id, source, origins, problems };
}

/** Checks a list of problems that came as JSON. */
export function isProblems(value: unknown): value is readonly PolicyProblem[] {
  return Array.isArray(value) && value.every(isProblem);
}

function isProblem(value: unknown): value is PolicyProblem {
  if (!isRecord(value)) return false;
  const { severity, where, text, hint } = value;
  if (severity !== 'error' && severity !== 'notice') return false;
  return [where, text, hint].every((part) => typeof part === 'string');
}

function isOrigins(value: unknown): value is Readonly<Record<string, PolicyOrigin>> {
  const origins: readonly unknown[] = ['default', 'policy', 'preferences'];
  return isRecord(value) && Object.values(value).every((origin) => origins.includes(origin));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
