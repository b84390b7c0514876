import { type FileHandle, open } from 'node:fs/promises';

/** A device sends a whole round into one folder; so many at once keep theirs open, and a process may have thousands. */
const KEPT_FOLDERS = 128;

/**
 * Makes new names durable: fsync(2) of their folders, NOTES. Keeps the folders that were used last open, as to open and
 * close one costs as much again as to sync it.
 */
export class FolderSyncs {
  /** The one used last at the end. */
  readonly #open = new Map<string, Promise<FileHandle>>();

  async sync(folder: string): Promise<void> {
    const opened = this.#open.get(folder) ?? open(folder, 'r');
    this.#open.delete(folder);
    this.#open.set(folder, opened);
    this.#closeOldest();
    try {
      await (await opened).sync();
    } catch (error) {
      this.forget(folder);
      throw error;
    }
  }

  /** The folder of this name is another one now. */
  forget(folder: string): void {
    const opened = this.#open.get(folder);
    this.#open.delete(folder);
    void opened?.then((handle) => handle.close()).catch(() => undefined);
  }

  stop(): void {
    for (const folder of this.#open.keys()) this.forget(folder);
  }

  #closeOldest(): void {
    const [oldest] = this.#open.keys();
    if (this.#open.size > KEPT_FOLDERS && oldest !== undefined) this.forget(oldest);
  }
}
