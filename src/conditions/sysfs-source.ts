import type { Source } from '../core/conditions.ts';
import { FolderWatch } from './folder-watch.ts';

/** One reading: the fact, and the folders in which a change could alter it. */
export interface Reading<Fact> {
  readonly fact: Fact;
  readonly folders: readonly string[];
}

/**
 * A {@link Source} over files of the kernel. sysfs tells nobody of changes (the kernel announces them on a netlink
 * socket, which Node cannot open), so the owner calls `refresh()` at the moments that matter: on the heartbeat while
 * something waits to be sent, before a round, and every second while one runs. Nothing polls otherwise. A simulated
 * machine is ordinary folders, where changes are seen at once.
 */
export class SysfsSource<Fact extends object> implements Source<Fact> {
  readonly #read: () => Reading<Fact>;
  readonly #watch: FolderWatch | null;
  #fact: Fact;
  #changed: (() => void) | null = null;

  /** `unread` is the answer before `start()`. */
  constructor(unread: Fact, read: () => Reading<Fact>, isSimulated: boolean) {
    this.#fact = unread;
    this.#read = read;
    this.#watch = isSimulated ? new FolderWatch(() => this.refresh()) : null;
  }

  current(): Fact {
    return this.#fact;
  }

  start(changed: () => void): Promise<void> {
    const { fact, folders } = this.#read();
    this.#fact = fact;
    this.#changed = changed;
    this.#watch?.update(folders);
    return Promise.resolve();
  }

  refresh(): void {
    // An event of a watcher that was closed while it was on its way must not wake a stopped source.
    if (this.#changed === null) return;
    const { fact, folders } = this.#read();
    this.#watch?.update(folders);
    if (isSame(this.#fact, fact)) return;
    this.#fact = fact;
    this.#changed();
  }

  stop(): Promise<void> {
    this.#changed = null;
    this.#watch?.close();
    return Promise.resolve();
  }
}

/** Facts are flat objects of plain values. */
function isSame(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
