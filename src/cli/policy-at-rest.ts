import { existsSync } from 'node:fs';
import type { Locations } from '../control/locations.ts';
import { TelemetryError } from '../core/errors.ts';
import type { LoadedPolicy } from '../core/policy.ts';
import { loadPolicyFiles } from '../policy/load.ts';
import type { Refused } from '../policy/policy-outcome.ts';
import { restingPlace } from './daemon.ts';
import type { CliIo } from './io.ts';

/** What the policy files say while no daemon answers; throws with the first thing that is wrong with them. */
export function policyAtRest(io: CliIo): LoadedPolicy {
  const outcome = policyFilesAt(restingPlace(io), io, false);
  if (outcome.policy !== null) return outcome;
  const [first] = outcome.problems;
  const where = first === undefined || first.where === '' ? '' : `${first.where}: `;
  throw new TelemetryError('bad-configuration', `${where}${first?.text ?? 'The policy cannot be read.'}`, {
    hint: first?.hint ?? 'telemetryctl policy check FILE',
  });
}

/** What the policy files of a daemon there say now, read as it reads them. `isRequired`: having none is an error. */
export function policyFilesAt(place: Locations, io: CliIo, isRequired: boolean): LoadedPolicy | Refused {
  return loadPolicyFiles({
    policyFile: place.policyPaths.find(existsSync) ?? place.policyPaths[0] ?? '',
    preferencesFile: place.preferencesPath,
    isSystem: place.kind === 'system',
    personUid: io.around.uid,
    isPolicyRequired: isRequired,
  });
}
