import type { Notifier, Shown } from '../core/notifier.ts';
import type { Bus, BusUser } from './dbus/bus.ts';
import { type BusConnection, BusError, busCall } from './dbus/bus-connection.ts';
import { type Message, signed, stringsNone, variantsNone } from './dbus/message.ts';

/** Desktop Notifications Specification 1.2, section 9. */
const NAME = 'org.freedesktop.Notifications';
const PATH = '/org/freedesktop/Notifications';
/** For as long as the desktop thinks right. */
const EXPIRES = signed(-1);

interface Waiting {
  readonly summary: string;
  readonly body: string;
  readonly told: (shown: Shown) => void;
}

/**
 * Notifications of the desktop over the session bus. A message that finds no desktop yet, as when a session is just
 * beginning, waits until one takes the name; one that takes its place replaces it there too.
 */
export class DesktopNotifier implements Notifier, BusUser {
  #connection: BusConnection | null = null;
  #waiting: Waiting | null = null;
  /** Whether there may be a desktop: a bus that is there, or may come back. */
  #mayCome = true;
  /** The desktop's number of our last message. */
  #id = 0;
  #isSending = false;

  /** Before the bus is started, which others do. */
  constructor(bus: Bus) {
    bus.use(this);
  }

  notify(summary: string, body: string, told: (shown: Shown) => void): void {
    this.#waiting = { summary, body, told };
    if (this.#connection !== null) this.#send(this.#connection);
    else told(this.#mayCome ? 'waiting' : 'no-desktop');
  }

  withdraw(): void {
    this.#waiting = null;
  }

  connected(connection: BusConnection): void {
    this.#connection = connection;
    this.#mayCome = true;
    this.#id = 0;
    const rule = `type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${NAME}'`;
    connection.call(busCall('AddMatch', rule)).catch(() => undefined);
    this.#send(connection);
  }

  disconnected(state: 'absent' | 'lost'): void {
    this.#connection = null;
    this.#mayCome = state === 'lost';
    this.#waiting?.told(this.#mayCome ? 'waiting' : 'no-desktop');
  }

  signal({ member, body: [name, , owner] }: Message): void {
    const isDesktop = member === 'NameOwnerChanged' && name === NAME && owner !== '';
    // One that is started by our own call answers that call.
    if (!isDesktop || this.#connection === null || this.#isSending) return;
    this.#id = 0;
    this.#send(this.#connection);
  }

  #send(connection: BusConnection): void {
    const message = this.#waiting;
    if (message === null) return;
    const { summary, body, told } = message;
    this.#isSending = true;
    const args = ['telemetryd', this.#id, '', summary, body, stringsNone(), variantsNone(), EXPIRES];
    connection
      .call({ destination: NAME, path: PATH, interface: NAME, member: 'Notify', args, mayStart: true })
      .finally(() => {
        this.#isSending = false;
      })
      .then(
        ([id]) => {
          this.#id = typeof id === 'number' ? id : 0;
          if (this.#waiting === message) this.#waiting = null;
          told('shown');
        },
        (error: unknown) => {
          // Whoever takes the name later is sent it then; a bus that is gone said so already.
          if (this.#waiting === message && !(error instanceof BusError && error.name === 'disconnected')) {
            told('no-desktop');
          }
        },
      );
  }
}
