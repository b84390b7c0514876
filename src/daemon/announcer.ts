import type { Clock } from '../core/clock.ts';
import type { CollectionName } from '../core/collection.ts';
import type { Notifier } from '../core/notifier.ts';
import type { StatusReport } from '../core/status.ts';

export interface AnnouncerPorts {
  readonly clock: Clock;
  readonly notifier: Notifier;
  /** Something that status shows has changed. */
  readonly changed: () => void;
}

/** What was said, when, and what became of it. */
export type Announcement = NonNullable<StatusReport['announcement']>;

const WORDS = {
  began: {
    summary: 'Input is being recorded',
    body: 'By telemetryd, as you agreed. To stop: telemetryctl pause 30m',
  },
  resumed: {
    summary: 'The pause has ended',
    body: 'Input is being recorded again. To stop: telemetryctl pause 30m',
  },
} as const;

/** Tells the person when recording begins after a start, and when it goes on after a pause. */
export class Announcer {
  readonly #ports: AnnouncerPorts;
  /** What is to be said when capture is next under way. */
  #due: Announcement['what'] | null = 'began';
  #last: Announcement | null = null;

  constructor(ports: AnnouncerPorts) {
    this.#ports = ports;
  }

  /** What was said last, and whether a desktop showed it; `null` before anything was. */
  get last(): Announcement | null {
    return this.#last;
  }

  stateChanged(from: CollectionName, to: CollectionName): void {
    const { clock, notifier, changed } = this.#ports;
    if (from === 'capturing') notifier.withdraw();
    if (from === 'paused') this.#due ??= 'resumed';
    if (to !== 'capturing' || this.#due === null) return;
    const what = this.#due;
    const at = new Date(clock.now().wallMs).toISOString();
    this.#due = null;
    this.#last = { what, at, shown: 'waiting' };
    const { summary, body } = WORDS[what];
    notifier.notify(summary, body, (shown) => {
      this.#last = { what, at, shown };
      changed();
    });
  }
}
