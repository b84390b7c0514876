import { roughBytes } from '../core/amounts.ts';
import type { Clock, Log } from '../core/clock.ts';
import type { Reason } from '../core/collection.ts';
import type { Policy } from '../core/policy.ts';
import { isRestartDue, NO_THRIFT, stepThrift, type ThriftState, tuningOf } from '../core/self-limits.ts';
import type { CaptureProcess } from './collection-driver.ts';

export interface SelfLimitPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly policy: () => Policy | null;
  /** What all processes took since the reading before: share of one core, and resident memory now. */
  readonly reading: () => { readonly cpuFraction: number; readonly rssBytes: number };
  readonly child: () => CaptureProcess | null;
  /** Has the capture process hand over what it holds and start anew; `null` where that cannot be. */
  readonly restartChild: (() => void) | null;
}

/** Holds the daemon and its capture process to `[limits]`: looks at the cost on every heartbeat, and does less. */
export class SelfLimits {
  readonly #ports: SelfLimitPorts;
  #thrift: ThriftState = NO_THRIFT;
  #cpuFraction = 0;
  #memoryBytes: number | null = null;
  #lastRestartBootMs: number | null = null;

  constructor(ports: SelfLimitPorts) {
    this.#ports = ports;
  }

  /** What the person should know of it; nothing while the limits are kept without doing less. */
  get notes(): readonly Reason[] {
    const policy = this.#ports.policy();
    if (policy === null || this.#ports.child() === null) return [];
    return [...this.#cpuNote(policy), ...this.#memoryNote(policy)];
  }

  /** A capture process is ready: it knows the policy's own rate only. */
  childReady(): void {
    if (this.#thrift.level > 0) this.#tune();
  }

  /** Called on every heartbeat. */
  beat(): void {
    const { clock, log, policy: policyNow, reading, child, restartChild } = this.#ports;
    const policy = policyNow();
    const { cpuFraction, rssBytes } = reading();
    if (policy === null || child() === null) return;
    const { level } = this.#thrift;
    this.#cpuFraction = cpuFraction;
    this.#thrift = stepThrift(this.#thrift, cpuFraction, policy.limits.cpuFraction);
    if (this.#thrift.level !== level) {
      log.info({ event: 'thrift-changed', level: this.#thrift.level, cpuFraction }, 'another step of thrift');
      this.#tune();
    }
    this.#memoryBytes = rssBytes > policy.limits.memoryBytes ? rssBytes : null;
    const { bootMs } = clock.now();
    if (restartChild === null) return;
    if (isRestartDue(rssBytes, policy.limits.memoryBytes, this.#lastRestartBootMs, bootMs)) {
      this.#lastRestartBootMs = bootMs;
      log.warn(
        { event: 'memory-limit-exceeded', rssBytes },
        'over the memory limit: the capture process is started anew',
      );
      restartChild();
    }
  }

  #tune(): void {
    const { child, policy } = this.#ports;
    const tuning = tuningOf(this.#thrift.level, policy()?.capture.mouseHz ?? 1);
    child()?.send({ type: 'tune', ...tuning });
  }

  #cpuNote({ limits, capture }: Policy): Reason[] {
    const { level } = this.#thrift;
    if (level === 0) return [];
    const { burstMs, mouseHz } = tuningOf(level, capture.mouseHz);
    const rate = mouseHz < capture.mouseHz ? `, and at most ${mouseHz} positions a second are kept` : '';
    return [
      {
        code: 'over-cpu-limit',
        text: `Recording took ${percent(this.#cpuFraction)} of a core at the last look, the policy allows ${percent(limits.cpuFraction)}: input is read every ${burstMs} ms${rate}.`,
        hint: 'nothing to do: it is undone when the cost falls',
      },
    ];
  }

  #memoryNote({ limits }: Policy): Reason[] {
    if (this.#memoryBytes === null) return [];
    return [
      {
        code: 'over-memory-limit',
        text: `The processes hold ${roughBytes(this.#memoryBytes)} of memory, the policy allows ${roughBytes(limits.memoryBytes)}.`,
        hint: 'nothing to do: the capture process is started anew, at most every ten minutes',
      },
    ];
  }
}

function percent(fraction: number): string {
  return `${Number((100 * fraction).toPrecision(2))} %`;
}
