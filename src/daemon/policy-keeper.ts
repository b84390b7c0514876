import { join } from 'node:path';
import type { Log } from '../core/clock.ts';
import { messageOf, TelemetryError } from '../core/errors.ts';
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
  #reloading: Promise<unknown> = Promise.resolve();

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

  /**
   * Reads the files anew. Returns whether the policy in force is another one than before. One reading follows the
   * other, so that the last to begin is the last to count.
   */
  reload(): Promise<boolean> {
    const reloaded = this.#reloading.then(() => this.#reload());
    this.#reloading = reloaded.catch(() => undefined);
    return reloaded;
  }

  async #reload(): Promise<boolean> {
    const before = this.#loaded?.id;
    const outcome = await this.#ports.load();
    this.#problems = outcome.problems;
    if (outcome.policy !== null) {
      if (outcome.id !== before) this.#keep(outcome);
      this.#loaded = outcome;
    } else {
      const lastGood = this.#loaded ?? this.#kept();
      this.#loaded = lastGood === null ? null : asLastGood(lastGood, outcome.problems);
      const { log } = this.#ports;
      log.error(
        { event: 'policy-refused', problems: outcome.problems.length, hasLastGood: lastGood !== null },
        'the policy is refused',
      );
    }
    return this.#loaded?.id !== before;
  }

  /** A disk that refuses must not keep a new policy from coming into force. */
  #keep(loaded: LoadedPolicy): void {
    try {
      writeStateFile(this.#path, encodeLastGood(loaded));
    } catch (error) {
      this.#ports.log.error(
        { event: 'policy-not-kept', err: messageOf(error) },
        'the policy could not be kept as the last good one',
      );
    }
  }

  #kept(): LoadedPolicy | null {
    const kept = readStateFile(this.#path, decodeLastGood);
    return kept.kind === 'ok' ? kept.value : null;
  }

  get #path(): string {
    return join(this.#ports.stateDir, 'policy-last-good.json');
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
