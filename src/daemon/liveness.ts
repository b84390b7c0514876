import type { Clock, Timers } from '../core/clock.ts';
import type { Reason } from '../core/collection.ts';
import type { CaptureProcess } from './collection-driver.ts';

export interface LivenessPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** The capture process that is ready, if there is one. */
  readonly child: () => CaptureProcess | null;
}

/** Events this young are a sign of life: a batch leaves the child every second. */
const FRESH_MS = 5000;
/** An X server that is alive answers within milliseconds, on a machine that swaps within seconds. */
const ANSWER_MS = 10_000;

const TAP_DEAD: Reason = {
  code: 'tap-dead',
  text: 'The capture process, or the source of input behind it, does not answer.',
  hint: 'it is started again by itself; the X server may hang',
};

/**
 * Tells "no input" from "dead": where no event came of late, the heartbeat has the capture process ask its source of
 * input. No answer ends the process, so that the state says `blocked` and no longer `capturing`. With a heartbeat of
 * 45 s that is so at most a minute after the death.
 */
export class Liveness {
  readonly #ports: LivenessPorts;
  #heardBootMs = Number.NEGATIVE_INFINITY;

  constructor(ports: LivenessPorts) {
    this.#ports = ports;
  }

  /** The capture process said something. */
  heard(): void {
    this.#heardBootMs = this.#ports.clock.now().bootMs;
    this.#ports.timers.clear('liveness');
  }

  /** Called on every heartbeat. */
  beat(): void {
    const { clock, child } = this.#ports;
    const asked = child();
    const nowMs = clock.now().bootMs;
    if (asked === null || nowMs - this.#heardBootMs < FRESH_MS) return;
    this.#probe(asked);
  }

  #probe(asked: CaptureProcess): void {
    const { clock, timers, child } = this.#ports;
    asked.send({ type: 'probe' });
    const dueMs = clock.now().bootMs + ANSWER_MS;
    timers.set('liveness', dueMs, () => {
      if (child() !== asked) return;
      // The machine slept meanwhile, and the answer may be on its way.
      if (clock.now().bootMs - dueMs > ANSWER_MS) this.#probe(asked);
      else asked.kill(TAP_DEAD);
    });
  }
}
