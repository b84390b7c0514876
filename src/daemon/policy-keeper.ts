import { join } from 'node:path';
import type { Log } from '../core/clock.ts';
import { TelemetryError } from '../core/errors.ts';
import type { LoadedPolicy, Policy, PolicyProblem } from '../core/policy.ts';
import { asLastGood, decodeLastGood, encodeLastGood } from '../policy/last-good.ts';
import type { Refused } from '../policy/policy-outcome.ts';
import { readStateFile, writeStateFile } from '../spool/state-file.ts';

export interface PolicyPorts {
  readonly stateDir: string;
  readonly log: Log;
  /** Reads the files, in a process of its own. */
  readonly load: () => Promise<LoadedPolicy | Refused>;
}

/** The policy in force: what the files say, or while they are refused the last good one, or none. */
export class PolicyKeeper {
  readonly #ports: PolicyPorts;
  #loaded: LoadedPolicy | null = null;
  #problems: readonly PolicyProblem[] = [];

  constructor(ports: PolicyPorts) {
    this.#ports = ports;
  }

  /** `null`: none could be read and there is no earlier one. */
  get loaded(): LoadedPolicy | null {
    return this.#loaded;
  }

  get policy(): Policy | null {
    return this.#loaded?.policy ?? null;
  }

  get problems(): readonly PolicyProblem[] {
    return this.#problems;
  }

  /** Reads the files anew. Returns whether the policy in force is another one than before. */
  async reload(): Promise<boolean> {
    const { stateDir, log, load } = this.#ports;
    const path = join(stateDir, 'policy-last-good.json');
    const before = this.#loaded?.id;
    const outcome = await load();
    this.#problems = outcome.problems;
    if (outcome.policy !== null) {
      if (outcome.id !== before) writeStateFile(path, encodeLastGood(outcome));
      this.#loaded = outcome;
    } else {
      const saved = readStateFile(path, decodeLastGood);
      this.#loaded = saved.kind === 'ok' ? asLastGood(saved.value, outcome.problems) : null;
      log.error(
        { problems: outcome.problems.length, hasLastGood: saved.kind === 'ok' },
        'the policy is refused',
      );
    }
    return this.#loaded?.id !== before;
  }

  /** The policy in force, for those who asked for it. */
  mustHave(): LoadedPolicy {
    if (this.#loaded !== null) return this.#loaded;
    const [first] = this.#problems;
    throw new TelemetryError(
      'bad-configuration',
      first === undefined ? 'there is no policy' : `${first.where}: ${first.text}`,
      {
        hint: first?.hint ?? 'telemetryd check-policy FILE',
      },
    );
  }
}
