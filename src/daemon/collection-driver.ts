import type { ChildCommand } from '../core/capture.ts';
import type { Clock, Log, Timers } from '../core/clock.ts';
import type { Reason } from '../core/collection.ts';
import {
  type CollectionEffect,
  type CollectionEvent,
  type CollectionName,
  type CollectionState,
  initialCollection,
  reasonsFor,
  stepCollection,
} from '../core/collection.ts';

/** A capture process that was started. */
export interface CaptureProcess {
  readonly pid: number | null;
  send(command: ChildCommand): void;
  /** Ends it at once; its exit gives the reason. */
  kill(reason: Reason): void;
  /** Asks it to hand over what it has and to exit; resolves when the process is gone. */
  stop(): Promise<void>;
}

export interface CollectionPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** Starts the capture process of a generation. Its messages and its exit come back as collection events. */
  readonly startChild: (generation: number) => CaptureProcess;
  /** Writes the pauses to disk, durably, before it returns. */
  readonly savePauses: (pauses: CollectionState['pauses']) => void;
  readonly changed: (from: CollectionName, to: CollectionName) => void;
}

/** Runs the state machine: feeds it, carries out its effects, keeps its one timer. */
export class CollectionDriver {
  readonly #ports: CollectionPorts;
  #state: CollectionState;
  #child: CaptureProcess | null = null;
  /** Resolved when no capture process exists; replaced by a pending one while one does. */
  #gone: PromiseWithResolvers<undefined> | null = null;
  readonly #waiters = new Set<() => void>();

  constructor(ports: CollectionPorts) {
    this.#ports = ports;
    this.#state = initialCollection(ports.clock.now());
  }

  get state(): CollectionState {
    return this.#state;
  }

  get childPid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** The capture process, if it is ready and not told to stop. */
  get running(): CaptureProcess | null {
    return this.#state.child.phase === 'running' ? this.#child : null;
  }

  reasons(): Reason[] {
    return reasonsFor(this.#state, this.#ports.clock.now());
  }

  send(event: CollectionEvent): void {
    // The step that takes note of an exit may begin the next generation.
    const { generation } = this.#state.child;
    const step = stepCollection(this.#state, event, this.#ports.clock.now());
    this.#state = step.state;
    if (event.type === 'child-exited' && event.generation === generation) {
      this.#child = null;
      this.#gone?.resolve(undefined);
      this.#gone = null;
    }
    if (this.#waiters.size > 0 && !this.#isUnsettled()) this.#settle();
    if (step.wakeAtBootMs === null) this.#ports.timers.clear('collection');
    else this.#ports.timers.set('collection', step.wakeAtBootMs, () => this.send({ type: 'tick' }));
    for (const effect of step.effects) this.#carryOut(effect);
  }

  /** Resolves when no capture process exists any more: that is when a pause has begun. */
  async whenGone(): Promise<void> {
    await this.#gone?.promise;
  }

  /**
   * Resolves when no capture process is on its way any more, up or down (after one that stops the next may start), at
   * the latest after `timeoutMs`.
   */
  async whenSettled(timeoutMs: number): Promise<void> {
    const { timers, clock } = this.#ports;
    if (!this.#isUnsettled()) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#waiters.add(() => resolve(undefined));
    timers.set('settle', clock.now().bootMs + timeoutMs, () => this.#settle());
    await promise;
  }

  #isUnsettled(): boolean {
    const { phase } = this.#state.child;
    return phase === 'starting' || phase === 'stopping';
  }

  #settle(): void {
    this.#ports.timers.clear('settle');
    for (const resolve of this.#waiters) resolve();
    this.#waiters.clear();
  }

  #carryOut(effect: CollectionEffect): void {
    switch (effect.type) {
      case 'start-child':
        this.#gone = Promise.withResolvers();
        this.#child = this.#ports.startChild(effect.generation);
        return;
      case 'stop-child':
        this.#child?.stop().catch((error: unknown) => {
          this.#ports.log.error(
            { event: 'capture-not-stopped', err: error },
            'the capture process could not be stopped',
          );
        });
        return;
      case 'pauses-changed':
        this.#ports.savePauses(this.#state.pauses);
        return;
      case 'state-changed':
        // When somebody paused or locked their screen is theirs to know: the system's journal is read by administrators.
        this.#ports.log.debug(
          { event: 'collection-changed', from: effect.from, to: effect.to },
          'collection state changed',
        );
        this.#ports.changed(effect.from, effect.to);
        return;
    }
  }
}
