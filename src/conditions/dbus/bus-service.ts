import type { Bus, BusUser } from './bus.ts';
import { type BusConnection, BusError, busCall, type Delay } from './bus-connection.ts';
import type { Message } from './message.ts';
import { type BusValue, itemsIn, type Properties, textIn } from './values.ts';

const PROPERTIES = 'org.freedesktop.DBus.Properties';

/** What to watch of a service. */
export interface ServiceSpec {
  /** Its well-known name. */
  readonly name: string;
  /** Which of its signals to receive, as match rules without type and sender: each one more is a wakeup more. */
  readonly rules: readonly string[];
  /** It may be started, if it is not running. */
  readonly isStarted: boolean;
  /** How long it may be gone before it counts as not there; `null`: once there, it is missed for ever. */
  readonly absentAfterMs: number | null;
  /**
   * What a method returned may have changed with each signal of its interface. `keep`: the old answer counts until the
   * new one is there; `drop`: nothing is known until then.
   */
  readonly onSignal: 'keep' | 'drop';
}

/**
 * What can be read of a service: `undefined` while it is on its way (it is fetched, and the service tells of a change
 * when it is there) and when the service does not answer, `null` when it answered with an error.
 */
export interface ServiceView {
  properties(path: string, interfaceName: string): Properties | null | undefined;
  /** What a method without arguments returns first. */
  result(path: string, interfaceName: string, method: string): BusValue | null | undefined;
}

/** `waiting`: not known yet, or gone a moment ago. */
type Presence = 'waiting' | 'present' | 'absent';

interface Entry {
  value: BusValue | null | undefined;
  isUnanswered: boolean;
  readonly fetch: () => void;
  /** The interface whose method returned it; `null` for properties. */
  readonly resultOf: string | null;
}

/**
 * A copy of those objects of a service that somebody looks at, kept up to date by its signals. What is not looked at any
 * more is forgotten.
 */
export class BusService implements BusUser {
  readonly #spec: ServiceSpec;
  readonly #delay: Delay;
  #connection: BusConnection | null = null;
  #owner = '';
  #presence: Presence = 'waiting';
  #wasPresent = false;
  #entries = new Map<string, Entry>();
  #changed: () => void = () => undefined;
  #signal: (message: Message) => void = () => undefined;
  #cancelAbsence: () => void = () => undefined;

  constructor(bus: Bus, spec: ServiceSpec, delay: Delay) {
    this.#spec = spec;
    this.#delay = delay;
    bus.use(this);
  }

  get name(): string {
    return this.#spec.name;
  }

  get presence(): Presence {
    return this.#presence;
  }

  /** Who is told after each change, and of each signal that is no change of a property. */
  listen(changed: () => void, signal: (message: Message) => void = () => undefined): void {
    this.#changed = changed;
    this.#signal = signal;
  }

  /** Decides something from the service's objects, and keeps only those it looked at. */
  look<T>(decide: (view: ServiceView) => T): T {
    const used = new Map<string, Entry>();
    const entry = (key: string, resultOf: string | null, fetch: (into: Entry) => void): Entry['value'] => {
      let found = used.get(key) ?? this.#entries.get(key);
      if (found === undefined) {
        const made: Entry = { value: undefined, isUnanswered: false, resultOf, fetch: () => fetch(made) };
        made.fetch();
        found = made;
      }
      used.set(key, found);
      return found.value;
    };
    const decided = decide({
      properties: (path, interfaceName) => {
        const value = entry(`${path} ${interfaceName}`, null, (into) =>
          this.#fetch(into, path, PROPERTIES, 'GetAll', [interfaceName]),
        );
        return value === undefined || value instanceof Map ? value : null;
      },
      result: (path, interfaceName, method) =>
        entry(`${path} ${interfaceName} ${method}`, interfaceName, (into) =>
          this.#fetch(into, path, interfaceName, method, []),
        ),
    });
    this.#entries = used;
    return decided;
  }

  /** Asks again for what could not be had. */
  retry(): void {
    for (const entry of this.#entries.values()) if (isMissing(entry)) entry.fetch();
  }

  connected(connection: BusConnection): void {
    this.#connection = connection;
    this.#become('', 'waiting');
    this.#subscribe(connection).catch(() => {
      // Without its signals nothing that we know of the service stays true.
      connection.close();
    });
  }

  disconnected(state: 'absent' | 'lost'): void {
    this.#connection = null;
    this.#become('', state === 'absent' ? 'absent' : 'waiting');
  }

  signal(message: Message): void {
    if (message.sender === 'org.freedesktop.DBus') {
      const [name, , owner] = message.body;
      if (message.member === 'NameOwnerChanged' && name === this.#spec.name)
        this.#ownerChanged(textIn(owner));
    } else if (message.sender === this.#owner && this.#presence === 'present') {
      this.#serviceSignal(message);
    }
  }

  async #subscribe(connection: BusConnection): Promise<void> {
    const { name, rules, isStarted } = this.#spec;
    const ownerRule = `sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${name}'`;
    const added = [ownerRule, ...rules.map((rule) => `sender='${name}',${rule}`)].map((rule) =>
      connection.call(busCall('AddMatch', `type='signal',${rule}`)),
    );
    const ownerOf = (): Promise<string> =>
      connection.call(busCall('GetNameOwner', name)).then(
        ([owner]) => textIn(owner),
        () => '',
      );
    // Sent in one go: what happens from here on comes after the answers.
    const [owner] = await Promise.all([ownerOf(), ...added]);
    let found = owner;
    if (found === '' && isStarted) {
      await connection.call(busCall('StartServiceByName', name, 0)).catch(() => undefined);
      found = await ownerOf();
    }
    if (this.#connection !== connection || this.#owner !== '') return;
    if (found !== '') this.#become(found, 'present');
    else if (this.#wasPresent) this.#missed();
    else this.#become('', 'absent');
  }

  #ownerChanged(owner: string): void {
    if (owner === this.#owner) return;
    if (owner !== '') {
      this.#become(owner, 'present');
      return;
    }
    this.#missed();
  }

  /** It was there: for a while it is missed before it counts as not there. */
  #missed(): void {
    this.#become('', 'waiting');
    const { absentAfterMs } = this.#spec;
    if (absentAfterMs === null) return;
    this.#cancelAbsence = this.#delay(absentAfterMs, () => this.#become('', 'absent'));
  }

  #become(owner: string, presence: Presence): void {
    this.#cancelAbsence();
    this.#owner = owner;
    this.#presence = presence;
    this.#wasPresent ||= presence === 'present';
    this.#entries.clear();
    this.#changed();
  }

  #serviceSignal(message: Message): void {
    if (message.interface === PROPERTIES && message.member === 'PropertiesChanged') {
      this.#propertiesChanged(message);
      return;
    }
    // A signal of another interface, as a service's log of calls, must not make us call again.
    const isOwn = message.interface.startsWith(this.#spec.name);
    for (const entry of this.#entries.values()) {
      // A service that starts may have its name before its objects, or before it answers.
      if (entry.resultOf !== message.interface && !(isOwn && isMissing(entry))) continue;
      if (this.#spec.onSignal === 'drop') entry.value = undefined;
      entry.fetch();
    }
    this.#signal(message);
    if (this.#spec.onSignal === 'drop') this.#changed();
  }

  #propertiesChanged({ path, body }: Message): void {
    const [interfaceName, changed, invalidated] = body;
    const entry = this.#entries.get(`${path} ${textIn(interfaceName)}`);
    if (entry === undefined || !(changed instanceof Map)) return;
    const isWhole = itemsIn(invalidated).length === 0;
    if (isWhole && entry.value instanceof Map) entry.value = new Map([...entry.value, ...changed]);
    else if (entry.value !== undefined || entry.isUnanswered) {
      entry.value = undefined;
      entry.fetch();
    }
    this.#changed();
  }

  #fetch(entry: Entry, path: string, interfaceName: string, member: string, args: string[]): void {
    const owner = this.#owner;
    // The owner we know, and not whoever has the name by then.
    const call = { destination: owner, path, interface: interfaceName, member, args };
    const arrived = (value: BusValue | null | undefined): void => {
      if (owner !== this.#owner) return;
      entry.value = value;
      entry.isUnanswered = value === undefined;
      this.#changed();
    };
    this.#connection?.call(call).then(
      ([value]) => arrived(value ?? null),
      (error: unknown) => arrived(error instanceof BusError && error.name === 'timeout' ? undefined : null),
    );
  }
}

/** It could not be had when it was asked for. */
function isMissing({ value, isUnanswered }: Entry): boolean {
  return value === null || isUnanswered;
}
