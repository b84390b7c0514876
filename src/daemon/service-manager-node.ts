import type { Log } from '../core/clock.ts';
import type { CollectionName } from '../core/collection.ts';
import { messageOf } from '../core/errors.ts';
import type { OpenedLibc } from '../posix/libc-koffi.ts';
import { UnixDatagrams } from '../posix/unix-datagram.ts';

/**
 * What `systemctl status` shows. Anyone on the machine may ask for it, so it tells what `publicStatus` does and no more:
 * whether somebody is away or exempt is nobody's business.
 */
const PAUSED = 'Paused: nothing is recorded.';
const STATUS: Readonly<Record<CollectionName, string>> = {
  capturing: 'Recording mouse and keyboard, as agreed.',
  paused: PAUSED,
  exempt: PAUSED,
  locked: PAUSED,
  'awaiting-consent': 'Waiting for consent: nothing is recorded.',
  blocked: 'Something is in the way: nothing is recorded. telemetryctl why tells.',
  stopped: 'Nothing is recorded.',
};

/** The service manager that started this process, if one did: systemd, by sd_notify(3). */
export class ServiceManager {
  readonly #send: (text: string) => void;
  /** How often it wants to hear that we are alive; `null`: not at all. */
  readonly aliveEveryMs: number | null;

  constructor(send: (text: string) => void, aliveEveryMs: number | null) {
    this.#send = send;
    this.aliveEveryMs = aliveEveryMs;
  }

  ready(): void {
    this.#send('READY=1');
  }

  alive(): void {
    if (this.aliveEveryMs !== null) this.#send('WATCHDOG=1');
  }

  stopping(): void {
    this.#send('STOPPING=1\nSTATUS=Writing out what was recorded.');
  }

  collectionIs(state: CollectionName): void {
    this.#send(`STATUS=${STATUS[state]}`);
  }
}

/**
 * The manager that the environment names; one that hears nothing where there is none. Its protocol is stable, and
 * libsystemd would bring seven libraries along for it.
 */
export function serviceManager(
  env: Readonly<Record<string, string | undefined>>,
  { libc, problem }: OpenedLibc,
  log: Log,
): ServiceManager {
  const nobody = new ServiceManager(() => undefined, null);
  const address = env['NOTIFY_SOCKET'] ?? '';
  if (address === '') return nobody;
  const warn = (why: string): void =>
    log.warn({ event: 'service-manager-not-told', problem: why }, 'the service manager could not be told');
  if (libc === null) {
    warn(problem);
    return nobody;
  }
  try {
    const socket = new UnixDatagrams(libc, address);
    const send = (text: string): void => {
      const failure = socket.send(Buffer.from(text));
      if (failure !== null) warn(failure);
    };
    return new ServiceManager(send, watchdogMs(env));
  } catch (error) {
    warn(messageOf(error));
    return nobody;
  }
}

/** Half of what sd_watchdog_enabled(3) gives, as it recommends; `null` where it is off or meant for another process. */
function watchdogMs(env: Readonly<Record<string, string | undefined>>): number | null {
  const limitUs = Number(env['WATCHDOG_USEC'] ?? Number.NaN);
  const pid = env['WATCHDOG_PID'] ?? '';
  if (!(limitUs > 0) || (pid !== '' && Number(pid) !== process.pid)) return null;
  return limitUs / 2000;
}
