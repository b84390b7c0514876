import type { Clock, Log } from '../core/clock.ts';
import { refreshDeadline } from '../core/deadline.ts';
import { messageOf } from '../core/errors.ts';
import { type Pause, restorePause, startPause } from '../core/pause.ts';
import { DEFAULT_POLICY } from '../policy/defaults.ts';
import { readPauses, writePauses } from '../spool/pauses-file.ts';

/** The pauses on disk, so that they hold over a restart. */
export class PausesKeeper {
  readonly #stateDir: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #areKnown = false;

  constructor(stateDir: string, clock: Clock, log: Log) {
    this.#stateDir = stateDir;
    this.#clock = clock;
    this.#log = log;
  }

  /** What the last run, or telemetryctl since then, left standing. In doubt a pause stands. */
  restore(): Pause[] {
    const clock = this.#clock;
    const read = readPauses(this.#stateDir);
    this.#areKnown = true;
    if (read.kind === 'missing') return [];
    if (read.kind === 'ok') return read.value.flatMap((saved) => restorePause(saved, clock) ?? []);
    this.#log.error(
      { event: 'pauses-damaged', reason: read.reason, keptAs: read.keptAs },
      'the pauses on disk are damaged; pausing in case one stood',
    );
    return [startPause('person', DEFAULT_POLICY.pause.maxMs, 'a pause may have stood', clock)];
  }

  /** Writes the standing pauses with what is left of them; nothing before those of the last run are known. */
  save(pauses: readonly Pause[]): void {
    if (!this.#areKnown) return;
    const now = this.#clock.now();
    try {
      writePauses(
        this.#stateDir,
        pauses.map((pause) => refreshDeadline(pause, now)),
      );
    } catch (error) {
      this.#log.error(
        { event: 'pauses-not-written', err: messageOf(error) },
        'the pauses could not be written',
      );
    }
  }
}
