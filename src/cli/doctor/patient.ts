import { get } from '../../control/calls.ts';
import { candidates, type Locations } from '../../control/locations.ts';
import type { LoadedPolicy } from '../../core/policy.ts';
import type { PublicStatus, StatusReport } from '../../core/status.ts';
import { decodeLastGood } from '../../policy/last-good.ts';
import type { Refused } from '../../policy/policy-outcome.ts';
import { askDaemon, isDaemonDown, restingPlace } from '../daemon.ts';
import type { CliIo } from '../io.ts';
import { policyFilesAt } from '../policy-at-rest.ts';
import { decoded } from '../state-files.ts';

/** A daemon answers within milliseconds; on a machine that swaps within seconds. */
const ANSWER_MS = 5000;

/** What was heard of the daemon. */
export type Heard =
  | { readonly kind: 'own'; readonly status: StatusReport }
  /** Somebody else's daemon, which says hardly anything to us. */
  | { readonly kind: 'restricted'; readonly status: PublicStatus }
  | { readonly kind: 'down' }
  /** It listens and gives no answer, or will not have us. */
  | { readonly kind: 'silent'; readonly error: unknown };

/** What all checks look at, gathered once. */
export interface Patient {
  readonly io: CliIo;
  readonly heard: Heard;
  /** Where the daemon that was asked has its things, or would have them. */
  readonly place: Locations;
  /** The daemon's folder as it says itself, else that of `place`. */
  readonly stateDir: string;
  /** What the policy files say now, read as the daemon reads them. */
  readonly policy: LoadedPolicy | Refused;
  /** Where segments would go by the policy in force; `""`: nowhere. `null`: it cannot be told. */
  readonly destination: string | null;
}

/** Asks the daemon for its status, once and with little patience, and reads the policy files. Never rejects. */
export async function examine(io: CliIo): Promise<Patient> {
  let asked = '';
  let heard: Heard;
  try {
    const status = await askDaemon(io, (socketPath) => {
      asked = socketPath;
      return get(socketPath, 'status', { timeoutMs: ANSWER_MS });
    });
    heard = 'restricted' in status ? { kind: 'restricted', status } : { kind: 'own', status };
  } catch (error) {
    heard = isDaemonDown(error) ? { kind: 'down' } : { kind: 'silent', error };
  }
  const place =
    (heard.kind === 'down'
      ? undefined
      : candidates(io.around).find(({ socketPath }) => socketPath === asked)) ?? restingPlace(io);
  const policy = policyFilesAt(place, io, (io.around.env['TELEMETRYD_POLICY'] ?? '') !== '');
  const stateDir = heard.kind === 'own' ? heard.status.daemon.stateDir : place.stateDir;
  return { io, heard, place, stateDir, policy, destination: destinationOf(heard, policy, stateDir) };
}

function destinationOf(heard: Heard, policy: LoadedPolicy | Refused, stateDir: string): string | null {
  if (heard.kind === 'own') return heard.status.upload.destination;
  if (policy.policy !== null) return policy.policy.upload.url;
  return decoded(stateDir, 'policy-last-good.json', decodeLastGood)?.policy.upload.url ?? null;
}
