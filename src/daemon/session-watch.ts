import { TimeZone } from '../conditions/time-zone-node.ts';
import type { Clock } from '../core/clock.ts';
import type { Session, SessionSource } from '../core/conditions.ts';

export interface SessionWatchPorts {
  readonly clock: Clock;
  readonly source: SessionSource;
  /** The lock of the session is this now. */
  readonly lock: (lock: Session['lock']) => void;
  /** The machine falls asleep: what was captured is to be written. */
  readonly flush: () => void;
  /** The machine has slept for so long; events stopped at this moment. */
  readonly slept: (fromMonoMs: number, forMs: number) => void;
  /** Deadlines may have passed unseen. */
  readonly recheck: () => void;
  /** What status shows of it has changed. */
  readonly changed: () => void;
}

/** The clocks that count sleep and that do not are read a moment apart; sleep itself lasts longer than this. */
const SLEPT_MS = 1000;
const NOTHING: Session = { lock: 'unlocked', sources: [] };

/**
 * Watches the person's session and the machine's sleep, and tells those whom it concerns. Without logind sleep is found
 * out when something next happens: the clock that counts it has gone on without the other.
 */
export class SessionWatch {
  readonly #ports: SessionWatchPorts;
  readonly #zone = new TimeZone();
  #isWatching = false;
  #lock: Session['lock'] = 'unlocked';
  #sleptMs = 0;
  #lastMonoMs = 0;
  #asleepFromMonoMs: number | null = null;

  constructor(ports: SessionWatchPorts) {
    this.#ports = ports;
  }

  /** What is known of the session; nothing before the start. */
  get session(): Session {
    return this.#isWatching ? this.#ports.source.current() : NOTHING;
  }

  /** From here on the lock is unknown until something has said otherwise, or that nothing here can. */
  async start(): Promise<void> {
    const { source, clock, flush } = this.#ports;
    const { bootMs, monoMs } = clock.now();
    this.#sleptMs = bootMs - monoMs;
    this.#lastMonoMs = monoMs;
    this.#isWatching = true;
    this.#tell('unknown');
    source.onSleep((isFallingAsleep) => {
      if (isFallingAsleep) {
        this.#asleepFromMonoMs = clock.now().monoMs;
        flush();
      } else {
        this.notice();
        this.#asleepFromMonoMs = null;
      }
    });
    await source.start(() => this.#look());
    this.#look();
  }

  /** The heartbeat. */
  beat(): void {
    if (!this.#isWatching) return;
    this.#ports.source.refresh();
    this.notice();
  }

  /** Looks at the clocks. Before events are recorded, so that sleep lies between them and those before. */
  notice(): void {
    if (!this.#isWatching) return;
    const { bootMs, monoMs } = this.#ports.clock.now();
    const sleptMs = bootMs - monoMs;
    const forMs = sleptMs - this.#sleptMs;
    const fromMonoMs = this.#asleepFromMonoMs ?? this.#lastMonoMs;
    this.#sleptMs = sleptMs;
    this.#lastMonoMs = monoMs;
    this.#zone.refresh();
    if (forMs <= SLEPT_MS) return;
    this.#asleepFromMonoMs = null;
    this.#ports.slept(fromMonoMs, forMs);
    this.#ports.recheck();
  }

  async stop(): Promise<void> {
    this.#isWatching = false;
    await this.#ports.source.stop();
  }

  #look(): void {
    this.#tell(this.#ports.source.current().lock);
    this.#ports.changed();
  }

  #tell(lock: Session['lock']): void {
    if (this.#lock === lock) return;
    this.#lock = lock;
    this.#ports.lock(lock);
  }
}
