import { CaptureChild } from '../capture/child-process.ts';
import { delayNode } from '../capture/delay-node.ts';
import type { CaptureConfig, ChildMessage } from '../core/capture.ts';
import { captureRefusal } from '../core/capture-refusal.ts';
import { admittedCount, type Reason } from '../core/collection.ts';
import type { EventColumns } from '../core/events.ts';
import { withExemptApps } from '../core/exempt-apps.ts';
import type { FocusName } from '../core/focus.ts';
import { parseHours } from '../core/hours.ts';
import type { LoadedPolicy, Policy } from '../core/policy.ts';
import { splitByTime } from '../core/slice-columns.ts';
import type { CaptureProcess, CollectionDriver } from './collection-driver.ts';
import type { DaemonPorts, DaemonSettings } from './daemon-ports.ts';
import type { Recorder } from './recorder.ts';

export interface CaptureLinkParts {
  readonly settings: Pick<DaemonSettings, 'backend' | 'replay'>;
  readonly ports: Pick<DaemonPorts, 'captureProgram' | 'log' | 'timers' | 'advanceTo' | 'replayEnded'>;
  readonly collection: CollectionDriver;
  readonly recorder: Recorder;
  readonly policy: () => LoadedPolicy;
  /** Applications that the person is exempt in. */
  readonly exemptApps: () => readonly string[];
  /** A process is about to be started. */
  readonly starting: () => void;
  /** It is gone. */
  readonly exited: () => void;
  /** It said anything: it lives. */
  readonly heard: () => void;
  readonly ready: () => void;
  /** It handed over events, which are not recorded yet. */
  readonly handed: () => void;
  readonly changed: () => void;
}

/** Starts capture processes with what the policy allows, and hands on what they say. */
export class CaptureLink {
  readonly #parts: CaptureLinkParts;
  #config = '';
  #focus: FocusName | null = null;
  #notes: readonly Reason[] = [];

  constructor(parts: CaptureLinkParts) {
    this.#parts = parts;
  }

  /** What the capture process knows of the window in use; `null` while there is none. */
  get focus(): FocusName | null {
    return this.#focus;
  }

  /** What the running capture process has the person know. */
  get notes(): readonly Reason[] {
    return this.#parts.collection.childPid === null ? [] : this.#notes;
  }

  /** What may be captured, and how, may have changed. */
  apply(policy: Policy | null): void {
    const config = JSON.stringify(policy === null ? null : this.#configOf(policy));
    if (this.#config !== config) {
      this.#config = config;
      // What the process hands over last still belongs to the old policy's segment; the next process begins a new one.
      this.#parts.collection.send({ type: 'reconfigure' });
    } else {
      this.#parts.recorder.roll();
    }
    this.#parts.collection.send({
      type: 'policy',
      policy:
        policy === null
          ? null
          : { hours: parseHours(policy.capture.hours) ?? null, refusal: captureRefusal(policy) },
    });
  }

  /** Starts the process of a generation. */
  start(generation: number): CaptureProcess {
    const { settings, ports, collection, recorder } = this.#parts;
    const child = new CaptureChild({
      ...ports.captureProgram,
      delay: delayNode,
      onMessage: (message) => this.#onChildMessage(generation, message),
      onExit: (reason) => {
        this.#focus = null;
        recorder.flush();
        if (reason.code !== 'stopped')
          ports.log.warn({ event: 'capture-ended', code: reason.code }, reason.text);
        if (settings.replay !== null && !collection.state.isStopping) {
          // A recording is played once: a second try would record the same again.
          ports.replayEnded(reason.text);
          collection.send({ type: 'stop' });
        }
        collection.send({ type: 'child-exited', generation, reason });
        this.#parts.exited();
      },
    });
    recorder.captureBegins();
    this.#parts.starting();
    child.start(this.#configOf(this.#parts.policy().policy));
    return child;
  }

  #onChildMessage(generation: number, message: ChildMessage): void {
    const { ports, collection, recorder } = this.#parts;
    this.#parts.heard();
    switch (message.type) {
      case 'ready':
        recorder.childReady(message.info);
        this.#notes = message.notes;
        for (const { code, text } of message.notes) ports.log.warn({ event: 'capture-note', code }, text);
        collection.send({ type: 'child-ready', generation });
        this.#parts.ready();
        return;
      case 'batch':
        this.#parts.handed();
        for (const columns of this.#inTime(message.columns)) {
          // After sleep a timer may be late; what is exempt by now must not be taken.
          collection.send({ type: 'tick' });
          recorder.take(columns, admittedCount(collection.state, generation, columns), message.loss);
        }
        this.#parts.changed();
        return;
      case 'focus':
        this.#focus = message.focus;
        if (message.withheldFromMonoMs !== null) recorder.withheld(message.withheldFromMonoMs);
        this.#parts.changed();
        return;
      case 'screens':
        recorder.screensChanged(message.screens);
        return;
      case 'end':
        ports.replayEnded(null);
        return;
      case 'alive':
        return;
      case 'failed':
        // Its exit follows and carries the reason.
        return;
    }
  }

  /** A batch as it comes; of a replay second by second, the clock moved and timers looked at before each. */
  *#inTime(columns: EventColumns): Generator<EventColumns> {
    const { settings, ports } = this.#parts;
    if (settings.replay === null) {
      yield columns;
      return;
    }
    for (const second of splitByTime(columns, 1000)) {
      ports.advanceTo(second.t[0] ?? 0);
      ports.timers.recheck();
      yield second;
    }
  }

  #configOf(inForce: Policy): CaptureConfig {
    const { settings, exemptApps } = this.#parts;
    const { replay } = settings;
    // A recording captures no one: nobody is exempt in it.
    const policy = replay === null ? withExemptApps(inForce, exemptApps()) : inForce;
    const { keys, mouseHz, focusUnknown, fullApps, backend } = policy.capture;
    return {
      backend: replay === null ? (settings.backend ?? backend) : 'replay',
      keys,
      mouseHz,
      focusUnknown,
      fullApps,
      exclude: policy.exclude,
      replay,
    };
  }
}
