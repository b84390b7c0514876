import type { Network, NetworkSource, Power, PowerSource, Source } from '../core/conditions.ts';
import type { Bus } from './dbus/bus.ts';
import type { Delay } from './dbus/bus-connection.ts';
import { BusService } from './dbus/bus-service.ts';
import { NETWORK_MANAGER, networkFromManager, UNKNOWN_NETWORK } from './network-manager.ts';
import { isSaverOn, POWER_PROFILES, powerFromUpower, UPOWER } from './power-upower.ts';
import { Settling } from './settling.ts';

/**
 * Power from UPower and the power profiles; where the bus or UPower is missing, from `fallback`. What `fallback` knows of
 * a battery counts beside UPower: the first to notice wins.
 */
export function powerBus(bus: Bus, fallback: PowerSource, delay: Delay): PowerSource {
  const upower = new BusService(bus, UPOWER, delay);
  const profiles = POWER_PROFILES.map((spec) => new BusService(bus, spec, delay));
  const isSaver = (): boolean | null => {
    const found = profiles.map((service) => {
      if (service.presence !== 'present') return service.presence === 'absent' ? false : null;
      return service.look((view) => isSaverOn(view, service.name));
    });
    return found.includes(true) ? true : found.includes(null) ? null : false;
  };
  const read = (): Power => {
    const saver = isSaver();
    const { state } = fallback.current();
    if (saver === null || upower.presence === 'waiting') return { state: 'unknown', isSaver: false };
    if (upower.presence === 'absent') return { state, isSaver: saver };
    const told = upower.look(powerFromUpower);
    return { state: told === 'ac' && state === 'battery' ? 'battery' : told, isSaver: saver };
  };
  return new BusSource<Power>({
    bus,
    services: [upower, ...profiles],
    fallback,
    read,
    closed: { state: 'unknown', isSaver: false },
    isClosed: (power) => power.state !== 'ac' || power.isSaver,
    delay,
  });
}

/** Network from NetworkManager; where the bus or NetworkManager is missing, from `fallback`. */
export function networkBus(bus: Bus, fallback: NetworkSource, delay: Delay): NetworkSource {
  const manager = new BusService(bus, NETWORK_MANAGER, delay);
  const read = (): Network => {
    if (manager.presence === 'waiting') return UNKNOWN_NETWORK;
    if (manager.presence === 'absent') return fallback.current();
    const network = manager.look(networkFromManager);
    // NetworkManager runs and manages nothing, but there is a way out that it does not know.
    const isUnmanaged = network.kind === 'none' && !['none', 'local'].includes(fallback.current().kind);
    return isUnmanaged ? UNKNOWN_NETWORK : network;
  };
  return new BusSource<Network>({
    bus,
    services: [manager],
    fallback,
    read,
    closed: UNKNOWN_NETWORK,
    isClosed: ({ kind, isCaptivePortal }) =>
      isCaptivePortal || kind === 'none' || kind === 'local' || kind === 'unknown',
    delay,
  });
}

interface BusSourceParts<Fact extends object> {
  readonly bus: Bus;
  readonly services: readonly BusService[];
  readonly fallback: Source<Fact>;
  readonly read: () => Fact;
  readonly closed: Fact;
  readonly isClosed: (fact: Fact) => boolean;
  readonly delay: Delay;
}

/**
 * A {@link Source} over services of a bus: woken by their signals, and closed from the moment that the bus, a service or
 * an answer is missing. Where none of the services exists, its fallback's facts are passed on as they are.
 */
class BusSource<Fact extends object> implements Source<Fact> {
  readonly #parts: BusSourceParts<Fact>;
  readonly #settling: Settling<Fact>;
  #changed: () => void = () => undefined;
  #isPlain = false;

  constructor(parts: BusSourceParts<Fact>) {
    this.#parts = parts;
    this.#settling = new Settling(parts.closed, parts.isClosed, parts.delay, () => {
      if (!this.#isPlain) this.#changed();
    });
  }

  current(): Fact {
    return this.#isPlain ? this.#parts.fallback.current() : this.#settling.shown;
  }

  /** Resolves when it watches; what it says until a bus has answered, or is known to be missing, is `closed`. */
  async start(changed: () => void): Promise<void> {
    const { bus, services, fallback } = this.#parts;
    this.#changed = changed;
    await fallback.start(() => {
      if (this.#isPlain) this.#changed();
      else this.#look();
    });
    for (const service of services) service.listen(() => this.#look());
    this.#look();
    bus.start();
  }

  refresh(): void {
    const { bus, services, fallback } = this.#parts;
    bus.retry();
    for (const service of services) service.retry();
    fallback.refresh();
  }

  async stop(): Promise<void> {
    this.#changed = () => undefined;
    this.#settling.stop();
    await this.#parts.fallback.stop();
  }

  #look(): void {
    const wasPlain = this.#isPlain;
    this.#isPlain = this.#parts.services.every(({ presence }) => presence === 'absent');
    if (this.#isPlain) this.#settling.found(this.#parts.closed);
    else this.#settling.found(this.#parts.read());
    if (this.#isPlain !== wasPlain) this.#changed();
  }
}
