import type { Screen } from '../../core/capture.ts';
import type { EventColumns, LossCounts } from '../../core/events.ts';
import type { Delay } from '../delay-node.ts';
import type { Pipeline } from './pipeline.ts';

/** One batch a second: at a hundred events a second one wakeup of the daemon for all of them. */
export const BATCH_INTERVAL_MS = 1000;
/** Sent at once when this many wait (100 KB), so that a burst does not pile up. */
const BURST_EVENTS = 4096;

/** Where batches go. */
export interface BatchOutlet {
  send(columns: EventColumns, loss: LossCounts): void;
  /** The events sent before are of the old screens, those after it of these. */
  sendScreens(screens: readonly Screen[]): void;
  /** The daemon has not yet taken what was sent. */
  readonly isFull: boolean;
}

export interface BatcherOptions {
  readonly pipeline: Pipeline;
  readonly outlet: BatchOutlet;
  readonly delay: Delay;
  /** `null`: by count only, for a replay at full speed, so that its result does not depend on the machine's. */
  readonly intervalMs: number | null;
  /** Called after each timed batch, see `CaptureBackend.poke`. */
  readonly poke: () => void;
  /** Called before each timed batch: lets the pipeline know what is ripe by now. */
  readonly ripen: () => Promise<void>;
}

/**
 * Decides when a batch leaves. Input arms one timer; when it fires and nothing waits any more, none is armed: a child
 * without input sleeps.
 */
export class Batcher {
  readonly #options: BatcherOptions;
  #cancel: (() => void) | null = null;
  #hadInput = false;
  #sentLoss = 0;
  #isDone = false;
  /** Changes of the screens that have events of before them still to be sent. */
  #changes: { readonly tMs: number; readonly screens: readonly Screen[] }[] = [];

  constructor(options: BatcherOptions) {
    this.#options = options;
  }

  /** Something was put into the pipeline. */
  onInput(): void {
    this.#hadInput = true;
    if (this.#options.pipeline.waiting >= BURST_EVENTS) this.#sendReady();
    this.#arm();
  }

  /** From `tMs` on the screens are these: told between the events of before and those of after it. */
  screens(tMs: number, screens: readonly Screen[]): void {
    this.#changes.push({ tMs, screens });
    this.#arm();
  }

  /** The outlet has room again. */
  onRoom(): void {
    if (this.#options.pipeline.waiting >= BURST_EVENTS) this.#sendReady();
  }

  /** Sends all there is, room or not, and disarms the timer. */
  finish(): void {
    this.#isDone = true;
    this.#cancel?.();
    this.#cancel = null;
    this.#options.pipeline.settle();
    this.#sendReady(true);
  }

  /** Sends what is ready, if there is room. */
  sendReady(): void {
    if (!this.#isDone) this.#sendReady();
  }

  #arm(): void {
    const { delay, intervalMs } = this.#options;
    if (this.#cancel !== null || intervalMs === null || this.#isDone) return;
    this.#cancel = delay(intervalMs, () => {
      this.#cancel = null;
      void this.#tick();
    });
  }

  async #tick(): Promise<void> {
    const { pipeline, outlet, poke, ripen } = this.#options;
    // While the daemon does not read, time passes without anything being decided by it.
    if (!outlet.isFull) {
      if (!this.#hadInput) pipeline.settle();
      this.#hadInput = false;
      await ripen();
      if (this.#isDone) return;
      this.#sendReady();
      poke();
    }
    if (!pipeline.isEmpty || this.#hadInput || this.#changes.length > 0) this.#arm();
  }

  #sendReady(isLast = false): void {
    const { pipeline, outlet } = this.#options;
    for (let change = this.#changes[0]; change !== undefined; change = this.#changes[0]) {
      this.#sendBefore(change.tMs, isLast);
      if (!pipeline.isReadyUntil(change.tMs) || pipeline.countReady(change.tMs) > 0) return;
      outlet.sendScreens(change.screens);
      this.#changes.shift();
    }
    this.#sendBefore(Number.POSITIVE_INFINITY, isLast);
    if (lossSum(pipeline.loss) !== this.#sentLoss && (isLast || !outlet.isFull)) this.#send(0);
  }

  #sendBefore(tMs: number, isLast: boolean): void {
    const { pipeline, outlet } = this.#options;
    let count = pipeline.countReady(tMs);
    while (count > 0 && (isLast || !outlet.isFull)) {
      this.#send(Math.min(count, BURST_EVENTS));
      count = pipeline.countReady(tMs);
    }
  }

  #send(count: number): void {
    const { pipeline, outlet } = this.#options;
    const { loss } = pipeline;
    this.#sentLoss = lossSum(loss);
    outlet.send(pipeline.take(count), loss);
  }
}

function lossSum(loss: LossCounts): number {
  return loss.thinned + loss.redacted + loss.dropped;
}
