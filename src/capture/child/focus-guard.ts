import {
  decideFocus,
  type Focus,
  type FocusDecision,
  type FocusRules,
  type KeysShown,
} from '../../core/focus.ts';
import type { Delay } from '../delay-node.ts';
import { type FocusHost, type FocusSource, NO_FOCUS } from './focus-source.ts';
import type { Pipeline } from './pipeline.ts';

/**
 * How long an event waits in the child for what may yet be learnt of its window. Measured: keys typed right after a
 * switch to a password manager carry stamps 11 to 15 ms before the change of the focus property, and a screen locker's
 * password arrives while the property still names the editor.
 */
const RIPEN_MS = 500;
/** So long after a stop the last look is taken: several times what keys were seen to be ahead of the focus. */
const LAST_LOOK_MS = 100;
/** A display that does not answer the last look within this has not said that all was well. */
const LAST_LOOK_TIMEOUT_MS = 300;

/** Tells whether a process's window asks for a secret just now. */
export interface SecretGate {
  look(pid: number): KeysShown;
  /** The same, quickly, for a process that was looked at within about a second. */
  glance(pid: number): KeysShown;
}

export interface FocusGuardOptions {
  readonly rules: FocusRules;
  readonly source: FocusSource;
  readonly gate: SecretGate;
  readonly pipeline: Pipeline;
  readonly nowMonoMs: () => number;
  readonly delay: Delay;
  /** What is known has changed, or something was left out from a moment on. */
  readonly changed: (decision: FocusDecision, withheldFromMs: number | null) => void;
}

/** Opens and closes the pipeline by what is in use, and lets ripen what was certain for long enough. */
export class FocusGuard {
  readonly #options: FocusGuardOptions;
  #focus: Focus = { kind: 'secret' };
  /** `null` before anything is known. */
  #decision: FocusDecision | null = null;

  constructor(options: FocusGuardOptions) {
    this.#options = options;
  }

  start(fail: FocusHost['fail'], signal: AbortSignal): Promise<void> {
    return this.#options.source.start({ fail, changed: (focus, atMs) => this.#changed(focus, atMs) }, signal);
  }

  /** A key is about to be taken: a terminal may have begun to ask for a secret, which no window tells. */
  beforeKey(): void {
    const { rules, gate, nowMonoMs } = this.#options;
    if (rules.keys === 'full') this.#decide(nowMonoMs(), (pid) => gate.glance(pid));
  }

  /** Lets ripen what is old enough, when all that could speak against it is known. */
  async ripen(): Promise<void> {
    const { source, pipeline, nowMonoMs } = this.#options;
    const atMs = nowMonoMs();
    if (!(await source.confirm())) return;
    this.#decide(atMs);
    pipeline.ripen(atMs - RIPEN_MS);
  }

  /**
   * After a stop at `stoppedMs`, with everything from before it in the pipeline: what is not ripe counts only when a
   * last look says that nothing has changed.
   */
  async lastLook(stoppedMs: number): Promise<void> {
    const { source, pipeline, nowMonoMs, delay } = this.#options;
    const wait = (ms: number): Promise<false> =>
      new Promise((resolve) => void delay(ms, () => resolve(false)));
    if (source !== NO_FOCUS) await wait(Math.max(0, stoppedMs + LAST_LOOK_MS - nowMonoMs()));
    const isGood = await Promise.race([source.confirm(), wait(LAST_LOOK_TIMEOUT_MS)]);
    if (isGood) this.#decide(nowMonoMs());
    if (isGood) pipeline.ripen(Number.POSITIVE_INFINITY);
    else pipeline.withhold();
  }

  stop(): void {
    this.#options.source.stop();
  }

  #changed(focus: Focus, atMs: number): void {
    this.#focus = focus;
    this.#decide(atMs);
  }

  /** Less of a key may be kept from now on than of those that wait: a change of that kind withholds them, too. */
  #decide(atMs: number, ask = (pid: number): KeysShown => this.#options.gate.look(pid)): void {
    const { rules, pipeline, changed } = this.#options;
    const decision = decideFocus(this.#focus, rules, ask);
    const before = this.#decision;
    if (before?.name === decision.name && before.keys === decision.keys) return;
    this.#decision = decision;
    let withheldFromMs: number | null = null;
    if (before?.keys !== decision.keys) {
      if (before !== null || decision.keys === null) {
        const firstMs = pipeline.withhold() ?? atMs;
        if (before !== null && before.keys !== null) withheldFromMs = Math.min(firstMs, atMs);
      }
      if (decision.keys !== null) pipeline.allow(atMs, decision.keys);
    }
    changed(decision, withheldFromMs);
  }
}
