import { type FSWatcher, watch } from 'node:fs';

/** Where X servers put their sockets (Xserver(1)). */
const X_SOCKETS = '/tmp/.X11-unix';
/** A server binds its socket a moment before it answers. */
const SETTLE_MS = 300;

/**
 * Tells when an X server may have appeared, so that capture goes on at once and nobody has to poll. It wakes for every
 * server that comes or goes, so it is for the time without a display only.
 */
export class DisplayWatch {
  #watcher: FSWatcher | null = null;
  #settling: NodeJS.Timeout | undefined;

  /** Does nothing while it watches already. */
  start(appeared: () => void): void {
    if (this.#watcher !== null) return;
    try {
      this.#watcher = watch(X_SOCKETS, { persistent: false }, () => {
        clearTimeout(this.#settling);
        this.#settling = setTimeout(appeared, SETTLE_MS);
      });
      // The folder may be removed under the watch; the restart's own backoff still finds a display.
      this.#watcher.on('error', () => this.stop());
    } catch {
      // No such folder: there is no X server yet, or none of that kind ever.
    }
  }

  stop(): void {
    clearTimeout(this.#settling);
    this.#watcher?.close();
    this.#watcher = null;
  }
}
