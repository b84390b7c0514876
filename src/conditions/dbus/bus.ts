import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { FolderWatch } from '../folder-watch.ts';
import type { BusSocket } from './bus-address.ts';
import { type BusConnection, BusError, connectBus, type Delay } from './bus-connection.ts';
import type { Message } from './message.ts';

/** Who uses a bus: told when there is a connection, of its signals, and when it is gone. */
export interface BusUser {
  connected(connection: BusConnection): void;
  /** `absent`: there is no such bus here, and there was none; `lost`: there is or was one, and it does not answer. */
  disconnected(state: 'absent' | 'lost'): void;
  signal(message: Message): void;
}

/**
 * A bus that went away is looked for again after 50 ms, 100 ms, … up to 3.2 s, and then whenever something changes where
 * its socket lies, or somebody asks (`retry`): nothing polls for a bus that stays away.
 */
const RETRY = { firstMs: 50, times: 7 };

/** A message bus that may go away and come back: keeps a connection while there is one. */
export class Bus {
  readonly #sockets: readonly BusSocket[];
  readonly #delay: Delay;
  readonly #users: BusUser[] = [];
  readonly #watch: FolderWatch;
  #connection: BusConnection | null = null;
  #state: 'idle' | 'connecting' | 'connected' | 'waiting' = 'idle';
  #attempts = 0;
  #wasThere = false;
  #cancelRetry: () => void = () => undefined;

  constructor(sockets: readonly BusSocket[], delay: Delay) {
    this.#sockets = sockets;
    this.#delay = delay;
    this.#watch = new FolderWatch(() => this.#lookAgain());
  }

  /** Adds a user; before {@link start}. */
  use(user: BusUser): void {
    this.#users.push(user);
  }

  /** Begins to connect; a second start does nothing. */
  start(): void {
    if (this.#state !== 'idle') return;
    this.#connect();
  }

  /** Looks for the bus again, if there is no connection. */
  retry(): void {
    if (this.#state === 'waiting') this.#connect();
  }

  stop(): void {
    this.#state = 'idle';
    this.#cancelRetry();
    this.#watch.close();
    this.#connection?.close();
  }

  #lookAgain(): void {
    this.#attempts = 0;
    if (this.#state === 'waiting') this.#retryLater();
  }

  #connect(): void {
    this.#cancelRetry();
    // Known without an answer, so that a machine without a bus is never in doubt.
    if (this.#sockets.every((socket) => 'path' in socket && !existsSync(socket.path))) {
      this.#failed(new BusError('no-socket', 'there is no bus'));
      return;
    }
    this.#state = 'connecting';
    this.#open().catch((error: unknown) => {
      if (this.#state === 'connecting') this.#failed(error);
    });
  }

  async #open(): Promise<void> {
    const connection = await connectBus(this.#sockets, this.#delay);
    const signal = (message: Message): void => {
      for (const user of this.#users) user.signal(message);
    };
    try {
      await connection.begin({ signal, gone: () => this.#gone(connection) });
    } catch (error) {
      connection.close();
      throw error;
    }
    if (this.#state !== 'connecting') {
      connection.close();
      return;
    }
    this.#connection = connection;
    this.#state = 'connected';
    this.#wasThere = true;
    this.#attempts = 0;
    this.#watch.close();
    for (const user of this.#users) user.connected(connection);
  }

  #gone(connection: BusConnection): void {
    if (this.#connection !== connection) return;
    this.#connection = null;
    if (this.#state !== 'connected') return;
    this.#state = 'waiting';
    this.#tell('lost');
    this.#wait();
  }

  #failed(error: unknown): void {
    this.#state = 'waiting';
    const isAbsent = !this.#wasThere && error instanceof BusError && error.name === 'no-socket';
    // What was never there need not be looked for again and again.
    if (isAbsent) this.#attempts = RETRY.times;
    else this.#wasThere = true;
    this.#tell(isAbsent ? 'absent' : 'lost');
    this.#wait();
  }

  #wait(): void {
    const folders = this.#sockets.flatMap((socket) => ('path' in socket ? [dirname(socket.path)] : []));
    this.#watch.update(folders);
    this.#retryLater();
  }

  #retryLater(): void {
    this.#cancelRetry();
    if (this.#attempts >= RETRY.times) return;
    const waitMs = RETRY.firstMs * 2 ** this.#attempts++;
    this.#cancelRetry = this.#delay(waitMs, () => this.retry());
  }

  #tell(state: 'absent' | 'lost'): void {
    for (const user of this.#users) user.disconnected(state);
  }
}
