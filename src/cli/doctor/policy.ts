import { isLoopbackUrl } from '../../core/gate.ts';
import type { PolicyProblem } from '../../core/policy.ts';
import { missingForUpload } from '../../core/upload-needs.ts';
import { type Check, failed, ok, warn } from './check.ts';
import type { Patient } from './patient.ts';

/** Whether the policy files are good, and are what is in force. */
export function policy({ heard, policy: files }: Patient): Check {
  const told = heard.kind === 'own' ? heard.status.policy : null;
  const refusal = [...(files.policy === null ? files.problems : []), ...(told?.problems ?? [])].find(
    ({ severity }) => severity === 'error',
  );
  if (refusal !== undefined) {
    const what =
      told === null ? '' : told.id === null ? ' Nothing is recorded.' : ' The last good one stays in force.';
    return failed('policy', `It is refused: ${placed(refusal)}.${what}`, refusal.hint);
  }
  if (files.policy === null) return failed('policy', 'It cannot be read.', 'telemetryd check-policy FILE');
  if (told !== null && told.id !== files.id)
    return warn(
      'policy',
      'The daemon has another one in force than the files say now.',
      'systemctl --user reload telemetryd.service, or restart it',
    );
  const missing = files.policy.upload.url === '' ? [] : missingForUpload(files.policy);
  if (missing.length > 0 && !isLoopbackUrl(files.policy.upload.url))
    return warn(
      'policy',
      `Nothing leaves this machine without ${missing.join(', ')}.`,
      'set them in the policy',
    );
  const [notice] = files.problems;
  if (notice !== undefined) return warn('policy', `${placed(notice)}.`, notice.hint);
  const source = files.source === 'defaults' ? 'There is no file; the defaults are' : `${files.source} is`;
  return ok('policy', `${source} in force, id ${files.id}.`);
}

function placed({ where, text }: PolicyProblem): string {
  return where === '' ? text : `${where}: ${text}`;
}
