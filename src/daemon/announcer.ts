import type { Clock } from '../core/clock.ts';
import type { CollectionName } from '../core/collection.ts';
import type { Exemption } from '../core/exemption.ts';
import type { Notifier } from '../core/notifier.ts';
import type { StatusReport } from '../core/status.ts';

export interface AnnouncerPorts {
  readonly clock: Clock;
  /** On recording, and on exemptions: neither takes the other's place on the desktop. */
  readonly notifiers: { readonly recording: Notifier; readonly exemptions: Notifier };
  /** Whether the person was told since the machine started that recording began; `set` keeps that over restarts. */
  readonly told: { get(): boolean; set(): void };
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
  'exemption-approved': {
    summary: 'Your exemption was approved',
    body: 'What was held back for it is deleted. To see it: telemetryctl exempt list',
  },
  'exemption-denied': {
    summary: 'Your exemption was denied',
    body: 'What was held back for it stays here for 24 hours more. To see why: telemetryctl exempt list',
  },
  'exemption-expired': {
    summary: 'Your exemption has ended',
    body: 'What it covered may be recorded and sent again. To see it: telemetryctl exempt list',
  },
} as const;

/**
 * Tells the person when recording begins, once after each start of the machine; when it goes on after a pause that
 * ended by itself; and what became of an exemption. What they do themselves they need not be told.
 */
export class Announcer {
  readonly #ports: AnnouncerPorts;
  /** What is to be said when capture is next under way. */
  #due: 'began' | 'resumed' | null = null;
  #last: Announcement | null = null;

  constructor(ports: AnnouncerPorts) {
    this.#ports = ports;
  }

  /** What was said last, and whether a desktop showed it; `null` before anything was. */
  get last(): Announcement | null {
    return this.#last;
  }

  /** Before the first change of state. */
  start(): void {
    if (!this.#ports.told.get()) this.#due = 'began';
  }

  stateChanged(from: CollectionName, to: CollectionName): void {
    const { notifiers, told } = this.#ports;
    if (from === 'capturing') notifiers.recording.withdraw();
    if (from === 'paused') this.#due ??= 'resumed';
    if (to !== 'capturing' || this.#due === null) return;
    const what = this.#due;
    this.#due = null;
    if (what === 'began') told.set();
    this.#say(what, notifiers.recording);
  }

  /** The person ended the pause just now, and knows it. */
  resumedByPerson(): void {
    if (this.#due === 'resumed') this.#due = null;
  }

  /** An exemption is in another state now. */
  exemptionChanged(state: Exemption['state']): void {
    if (state !== 'approved' && state !== 'denied' && state !== 'expired') return;
    this.#say(`exemption-${state}`, this.#ports.notifiers.exemptions);
  }

  #say(what: Announcement['what'], notifier: Notifier): void {
    const { clock, changed } = this.#ports;
    const at = new Date(clock.now().wallMs).toISOString();
    const said: Announcement = { what, at, shown: 'waiting' };
    this.#last = said;
    let latest = said;
    const { summary, body } = WORDS[what];
    notifier.notify(summary, body, (shown) => {
      // Something newer may have been said since.
      if (this.#last === latest) {
        latest = { ...said, shown };
        this.#last = latest;
      }
      changed();
    });
  }
}
