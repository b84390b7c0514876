import type { CaptureConfig, ChildCommand } from '../../core/capture.ts';
import type { Reason } from '../../core/collection.ts';
import { EXIT } from '../../core/errors.ts';
import type { Delay } from '../delay-node.ts';
import { BackendFailure, type BackendHost, type CaptureBackend, type InputSink } from './backend.ts';
import { BATCH_INTERVAL_MS, Batcher } from './batcher.ts';
import type { ChildPipe } from './child-pipe.ts';
import { FocusGuard, type SecretGate } from './focus-guard.ts';
import type { FocusSource } from './focus-source.ts';
import { Pipeline } from './pipeline.ts';

/** 5 MB, over three minutes of a thousand events a second, while the daemon does not read. */
const MAX_WAITING_EVENTS = 200_000;

export interface CaptureRunOptions {
  readonly config: CaptureConfig;
  readonly pipe: ChildPipe;
  readonly backend: CaptureBackend;
  readonly focus: FocusSource;
  readonly secretGate: SecretGate;
  /** What the person should know of this process although it works. */
  readonly notes: readonly Reason[];
  readonly nowMonoMs: () => number;
  readonly delay: Delay;
  /** Called once, when the back end is at work: what only the start needed can go. */
  readonly started: () => void;
}

/** One life of the child: from its configuration to its exit code. */
export class CaptureRun {
  readonly #options: CaptureRunOptions;
  readonly #pipeline: Pipeline;
  readonly #batcher: Batcher;
  readonly #guard: FocusGuard;
  readonly #starting = new AbortController();
  readonly #stopped = Promise.withResolvers<Reason | null>();
  #roomWaiters: (() => void)[] = [];
  #stoppedMs = Number.NEGATIVE_INFINITY;

  constructor(options: CaptureRunOptions) {
    const { config, pipe, backend, focus, secretGate, nowMonoMs, delay } = options;
    this.#options = options;
    this.#pipeline = new Pipeline({
      mouseHz: config.mouseHz,
      knows: backend.knows,
      maxWaiting: MAX_WAITING_EVENTS,
      // A recording has no one at its keyboard whose next window could be a secret.
      ripens: config.replay === null,
    });
    this.#guard = new FocusGuard({
      rules: config,
      source: focus,
      gate: secretGate,
      pipeline: this.#pipeline,
      nowMonoMs,
      delay,
      changed: ({ name }, withheldFromMonoMs) => {
        // What is ripe belongs before what is left out.
        this.#batcher.sendReady();
        pipe.send({ type: 'focus', focus: name, withheldFromMonoMs });
      },
    });
    this.#batcher = new Batcher({
      pipeline: this.#pipeline,
      outlet: {
        send: (columns, loss) => pipe.send({ type: 'batch', columns, loss }),
        sendScreens: (screens) => pipe.send({ type: 'screens', screens }),
        get isFull() {
          return pipe.isFull;
        },
      },
      delay,
      intervalMs: config.replay?.speed === 'max' ? null : BATCH_INTERVAL_MS,
      poke: () => backend.poke(),
      ripen: () => this.#guard.ripen(),
    });
  }

  /** Runs until {@link stop}, or until the back end fails. */
  async run(): Promise<number> {
    const { pipe, backend } = this.#options;
    pipe.onRoom = () => this.#onRoom();
    pipe.onCommand = (command) => this.#obey(command);
    let failure: Reason | null;
    try {
      const { signal } = this.#starting;
      await this.#guard.start((reason) => this.#stopped.resolve(reason), signal);
      const info = await backend.start(this.#host(), signal);
      pipe.send({ type: 'ready', info, notes: this.#options.notes });
      this.#options.started();
      failure = await this.#stopped.promise;
      await backend.stop();
      await this.#guard.lastLook(this.#stoppedMs);
    } catch (error) {
      if (!(error instanceof BackendFailure)) throw error;
      failure = this.#starting.signal.aborted ? null : error.reason;
    }
    this.#guard.stop();
    this.#batcher.finish();
    if (failure !== null) pipe.send({ type: 'failed', reason: failure });
    await pipe.close();
    return failure === null ? EXIT.ok : EXIT.failed;
  }

  /** What happened before now is still handed over, what comes later is not. */
  stop(): void {
    if (this.#options.config.replay === null) {
      this.#stoppedMs = this.#options.nowMonoMs();
      this.#pipeline.cutOff(this.#stoppedMs);
    }
    this.#starting.abort();
    this.#stopped.resolve(null);
    this.#onRoom();
  }

  #obey(command: ChildCommand): void {
    const { backend, pipe } = this.#options;
    if (command.type === 'tune') {
      backend.setBurstMs(command.burstMs);
      this.#pipeline.setMouseHz(command.mouseHz);
      return;
    }
    backend.probe().then(
      () => pipe.send({ type: 'alive' }),
      (error: unknown) => {
        if (!(error instanceof BackendFailure)) throw error;
        this.#stopped.resolve(error.reason);
      },
    );
  }

  #host(): BackendHost {
    return {
      sink: this.#sink(),
      screens: (tMs, screens) => this.#batcher.screens(tMs, screens),
      fail: (reason) => this.#stopped.resolve(reason),
      end: () => {
        this.#batcher.finish();
        this.#options.pipe.send({ type: 'end' });
      },
      room: () =>
        this.#options.pipe.isFull && !this.#starting.signal.aborted
          ? new Promise((resolve) => this.#roomWaiters.push(resolve))
          : Promise.resolve(),
    };
  }

  #sink(): InputSink {
    const pipeline = this.#pipeline;
    const batcher = this.#batcher;
    return {
      place: (x, y) => pipeline.place(x, y),
      move: (tMs, x, y) => {
        pipeline.move(tMs, x, y);
        batcher.onInput();
      },
      button: (tMs, isDown, button, x, y) => {
        pipeline.button(tMs, isDown, button, x, y);
        batcher.onInput();
      },
      wheel: (tMs, x, y, dx, dy) => {
        pipeline.wheel(tMs, x, y, dx, dy);
        batcher.onInput();
      },
      key: (tMs, isDown, code, id, mods, isRepeat) => {
        this.#guard.beforeKey();
        pipeline.key(tMs, isDown, code, id, mods, isRepeat);
        batcher.onInput();
      },
      buttonGone: (tMs, button, x, y) => {
        pipeline.buttonGone(tMs, button, x, y);
        batcher.onInput();
      },
      keyGone: (tMs, code, id, mods) => {
        pipeline.keyGone(tMs, code, id, mods);
        batcher.onInput();
      },
      lost: () => {
        pipeline.lost();
        batcher.onInput();
      },
    };
  }

  #onRoom(): void {
    this.#batcher.onRoom();
    const waiters = this.#roomWaiters;
    this.#roomWaiters = [];
    for (const resolve of waiters) resolve();
  }
}
