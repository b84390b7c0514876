import { type ChildProcess, execFile, spawn } from 'node:child_process';
import type { Network, NetworkSource, Power, PowerSource, Source } from '../core/conditions.ts';
import type { Delay } from './dbus/bus-connection.ts';
import { networkFromMacos } from './macos-network.ts';
import { powerFromPmset } from './macos-power.ts';
import { UNKNOWN_NETWORK } from './network-manager.ts';
import { Settling } from './settling.ts';

/** Runs a program and gives what it printed; `null` when it failed. */
export type Output = (program: string, ...args: readonly string[]) => Promise<string | null>;

/** Starts the program that prints a line with each change; `changed` is called for each. Returns what ends it. */
export type Notify = (changed: () => void) => () => void;

/** {@link Output} of the system's own programs. */
export const outputOf: Output = (program, ...args) =>
  new Promise((resolve) => {
    execFile(program, [...args], { timeout: 5000, encoding: 'utf8' }, (error, stdout, stderr) =>
      // `route` says on standard error that there is no default route, and fails.
      resolve(error === null || stderr.includes('not in table') ? `${stdout}${stderr}` : null),
    );
  });

/** notify(3) keys: the network's configuration, and the power sources with their time and their mode. */
const KEYS = [
  'com.apple.system.config.network_change',
  'com.apple.system.powersources.source',
  'com.apple.system.lowpowermode',
] as const;

/** {@link Notify} by `notifyutil`, one process for all keys. One that ends is not started again: nobody is told then. */
export const notifyChanges: Notify = (changed) => {
  const child: ChildProcess = spawn(
    '/usr/bin/notifyutil',
    KEYS.flatMap((key) => ['-w', key]),
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  child.stdout?.on('data', changed);
  child.on('error', () => undefined);
  return () => void child.kill();
};

/** Power and network of a Mac, from the system's programs, run when `notify` tells of a change. */
export function macosSources(
  output: Output,
  notify: Notify,
  delay: Delay,
): { power: PowerSource; network: NetworkSource; stop: () => void } {
  const listeners = new Set<() => void>();
  const end = notify(() => {
    for (const listener of listeners) listener();
  });
  const power = new CommandSource<Power>({
    read: async () => {
      const [batteries, settings] = await Promise.all([
        output('/usr/bin/pmset', '-g', 'batt'),
        output('/usr/bin/pmset', '-g'),
      ]);
      return powerFromPmset({ batteries, settings });
    },
    closed: { state: 'unknown', isSaver: false },
    isClosed: ({ state, isSaver }) => state !== 'ac' || isSaver,
    listeners,
    delay,
  });
  const network = new CommandSource<Network>({
    read: async () => {
      const [route, ports, reachability] = await Promise.all([
        output('/sbin/route', '-n', 'get', 'default'),
        output('/usr/sbin/networksetup', '-listallhardwareports'),
        output('/usr/sbin/scutil', '--nwi'),
      ]);
      return networkFromMacos({ route, ports, reachability });
    },
    closed: UNKNOWN_NETWORK,
    isClosed: ({ kind }) => kind === 'none' || kind === 'local' || kind === 'unknown',
    listeners,
    delay,
  });
  return { power, network, stop: end };
}

interface CommandParts<Fact extends object> {
  readonly read: () => Promise<Fact>;
  readonly closed: Fact;
  readonly isClosed: (fact: Fact) => boolean;
  readonly listeners: Set<() => void>;
  readonly delay: Delay;
}

/** A source that runs programs when it is told of a change, one run at a time. */
class CommandSource<Fact extends object> implements Source<Fact> {
  readonly #parts: CommandParts<Fact>;
  readonly #settling: Settling<Fact>;
  readonly #onChange = (): void => this.refresh();
  #changed: () => void = () => undefined;
  #isReading = false;
  /** How often it was asked to read. */
  #asked = 0;

  constructor(parts: CommandParts<Fact>) {
    this.#parts = parts;
    this.#settling = new Settling(parts.closed, parts.isClosed, parts.delay, () => this.#changed());
  }

  current(): Fact {
    return this.#settling.shown;
  }

  async start(changed: () => void): Promise<void> {
    this.#changed = changed;
    this.#parts.listeners.add(this.#onChange);
    await this.#read();
  }

  refresh(): void {
    void this.#read();
  }

  stop(): Promise<void> {
    this.#changed = () => undefined;
    this.#parts.listeners.delete(this.#onChange);
    this.#settling.stop();
    return Promise.resolve();
  }

  async #read(): Promise<void> {
    const asked = ++this.#asked;
    if (this.#isReading) return;
    this.#isReading = true;
    const fact = await this.#parts.read();
    this.#isReading = false;
    const isStale = asked !== this.#asked;
    // What was read while something changed may be neither the old nor the new.
    this.#settling.found(isStale ? this.#parts.closed : fact);
    if (isStale) await this.#read();
  }
}
