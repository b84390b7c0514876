import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Log, Timers } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { ensureFolder, removeFile } from '../spool/durable-file.ts';
import type { UploaderProcess } from './upload-driver.ts';

export interface UploaderServicePorts {
  /** What the service manager watches; of no use after a reboot. */
  readonly folder: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}

/** An uploader has 2 s for its last word after its connection ended; one that said nothing by then has died. */
const LAST_WORD_MS = 3000;

/**
 * Uploaders that a service manager starts: it watches a folder (systemd's `.path` unit, launchd's `QueueDirectories`) in
 * which a file lies for as long as a round waits for one or is under way. They run apart from the daemon, which needs no
 * network then; all it knows of one is its connection.
 */
export class UploaderService {
  readonly #ports: UploaderServicePorts;
  #rounds = 0;

  constructor(ports: UploaderServicePorts) {
    this.#ports = ports;
  }

  /** Makes the folder, empty: no round outlives its daemon. */
  prepare(): void {
    const { folder } = this.#ports;
    ensureFolder(folder);
    for (const name of readdirSync(folder)) removeFile(join(folder, name));
  }

  /** Asks for an uploader. */
  start(): UploaderProcess {
    const { folder, clock, timers, log } = this.#ports;
    const { promise: exited, resolve } = Promise.withResolvers<boolean>();
    this.#rounds++;
    const file = join(folder, `round-${this.#rounds}`);
    const timer = `uploader-${this.#rounds}`;
    let isAttended = false;
    const end = (isAccounted: boolean): void => {
      timers.clear(timer);
      removeFile(file);
      resolve(isAccounted);
    };
    try {
      writeFileSync(file, '', { mode: 0o600 });
    } catch (error) {
      log.error(
        { event: 'uploader-not-asked', err: messageOf(error) },
        'the uploader could not be asked for',
      );
      resolve(true);
    }
    return {
      exited,
      // Whoever kills it has ended its connection, and without one it sends nothing and goes.
      kill: () => end(!isAttended),
      attended: (gone) => {
        isAttended = true;
        const wait = (): void => timers.set(timer, clock.now().bootMs + LAST_WORD_MS, () => end(false));
        gone.addEventListener('abort', wait, { once: true });
      },
      accounted: async () => {
        end(true);
        await exited;
      },
    };
  }
}
