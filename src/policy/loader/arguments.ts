import { parseArgs } from 'node:util';
import { TelemetryError } from '../../core/errors.ts';
import type { PolicyPaths } from '../policy-outcome.ts';

/** The command line of the policy reader; {@link parseLoaderArguments} reads it back. */
export function loaderArguments(paths: PolicyPaths): string[] {
  return [
    `--policy=${paths.policyFile}`,
    `--person=${paths.personUid}`,
    ...(paths.preferencesFile === null ? [] : [`--preferences=${paths.preferencesFile}`]),
    ...(paths.isSystem ? ['--system'] : []),
    ...(paths.isPolicyRequired ? ['--required'] : []),
  ];
}

/** Throws a usage error when the arguments are not those of {@link loaderArguments}. */
export function parseLoaderArguments(args: readonly string[]): PolicyPaths {
  const { values } = parseArgs({
    args: [...args],
    options: {
      policy: { type: 'string' },
      preferences: { type: 'string' },
      person: { type: 'string' },
      system: { type: 'boolean', default: false },
      required: { type: 'boolean', default: false },
    },
  });
  const personUid = /^\d{1,10}$/.test(values.person ?? '') ? Number(values.person) : undefined;
  if (values.policy === undefined || personUid === undefined) {
    throw new TelemetryError('usage', 'the policy reader needs --policy and --person', { op: 'read policy' });
  }
  return {
    policyFile: values.policy,
    preferencesFile: values.preferences ?? null,
    isSystem: values.system,
    personUid,
    isPolicyRequired: values.required,
  };
}
