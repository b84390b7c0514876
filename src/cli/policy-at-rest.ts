import { existsSync } from 'node:fs';
import { TelemetryError } from '../core/errors.ts';
import type { LoadedPolicy } from '../core/policy.ts';
import { loadPolicyFiles } from '../policy/load.ts';
import { restingPlace } from './daemon.ts';
import type { CliIo } from './io.ts';

/** What the policy files say while no daemon answers; throws with the first thing that is wrong with them. */
export function policyAtRest(io: CliIo): LoadedPolicy {
  const place = restingPlace(io);
  const found = place.policyPaths.find(existsSync);
  const outcome = loadPolicyFiles({
    policyFile: found ?? place.policyPaths[0] ?? '',
    preferencesFile: place.preferencesPath,
    isSystem: place.kind === 'system',
    personUid: io.around.uid,
    isPolicyRequired: false,
  });
  if (outcome.policy !== null) return outcome;
  const [first] = outcome.problems;
  const where = first === undefined || first.where === '' ? '' : `${first.where}: `;
  throw new TelemetryError('bad-configuration', `${where}${first?.text ?? 'The policy cannot be read.'}`, {
    hint: first?.hint ?? 'telemetryctl policy check FILE',
  });
}
