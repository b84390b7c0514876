import type { Session, SessionSource } from '../core/conditions.ts';
import type { Bus } from './dbus/bus.ts';
import type { Delay } from './dbus/bus-connection.ts';
import { BusService } from './dbus/bus-service.ts';
import { LOGIND, type Lock, lockFromLogind } from './lock-logind.ts';
import { lockFromScreenSaver, SCREEN_SAVERS } from './lock-screensaver.ts';
import { lockAtSeat } from './seat-logind.ts';

/** The buses, and whose session it is about. */
export interface SessionParts {
  readonly systemBus: Bus;
  readonly sessionBus: Bus;
  readonly uid: number;
  /** Only the session at the machine's seat counts, and without logind nobody knows whose that is. */
  readonly isOfSeat?: boolean;
  readonly delay: Delay;
}

/**
 * The session's lock from logind and the screen savers: locked when any of them says so, unknown when any of them should
 * know and does not, or a bus that was there is not. Where neither exists nothing can tell, and nothing is in doubt.
 */
export class SessionBusSource implements SessionSource {
  readonly #parts: SessionParts;
  readonly #logind: BusService;
  readonly #savers: readonly { readonly service: BusService; readonly lock: () => Lock }[];
  #session: Session = { lock: 'unknown', sources: [] };
  #changed: () => void = () => undefined;
  #sleep: (isFallingAsleep: boolean) => void = () => undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#logind = new BusService(parts.systemBus, LOGIND, parts.delay);
    this.#savers = SCREEN_SAVERS.map((saver) => {
      const service = new BusService(parts.sessionBus, saver.spec, parts.delay);
      return { service, lock: () => service.look((view) => lockFromScreenSaver(view, saver)) };
    });
  }

  current(): Session {
    return this.#session;
  }

  onSleep(told: (isFallingAsleep: boolean) => void): void {
    this.#sleep = told;
  }

  /** Resolves at once: until logind has answered, the lock is unknown. */
  start(changed: () => void): Promise<void> {
    this.#changed = changed;
    const look = (): void => this.#look();
    this.#logind.listen(look, ({ member, body }) => {
      if (member === 'PrepareForSleep') this.#sleep(body[0] === true);
    });
    for (const { service } of this.#savers) service.listen(look);
    this.#parts.systemBus.start();
    this.#parts.sessionBus.start();
    this.#look();
    return Promise.resolve();
  }

  refresh(): void {
    this.#parts.systemBus.retry();
    this.#parts.sessionBus.retry();
    for (const service of [this.#logind, ...this.#savers.map((saver) => saver.service)]) service.retry();
  }

  stop(): Promise<void> {
    this.#changed = () => undefined;
    this.#sleep = () => undefined;
    return Promise.resolve();
  }

  #look(): void {
    const { uid, isOfSeat } = this.#parts;
    const lockIn = isOfSeat === true ? lockAtSeat : lockFromLogind;
    const ofLogind = lockOf(
      this.#logind,
      () => this.#logind.look((view) => lockIn(view, uid)),
      isOfSeat === true ? 'unknown' : 'none',
    );
    const found = [
      { name: 'logind', lock: ofLogind },
      ...this.#savers.map(({ service, lock }) => ({ name: service.name, lock: lockOf(service, lock) })),
    ];
    const session: Session = {
      lock:
        (['locked', 'unknown'] as const).find((lock) => found.some((one) => one.lock === lock)) ?? 'unlocked',
      sources: found.filter(({ lock }) => lock !== 'none').map(({ name }) => name),
    };
    if (JSON.stringify(session) === JSON.stringify(this.#session)) return;
    this.#session = session;
    this.#changed();
  }
}

function lockOf(service: BusService, look: () => Lock, withoutIt: Lock = 'none'): Lock {
  if (service.presence === 'present') return look();
  return service.presence === 'absent' ? withoutIt : 'unknown';
}
