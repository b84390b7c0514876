import { open } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { TelemetryError } from '../core/errors.ts';

/** What is said when another process has it. */
interface Taken {
  readonly message: string;
  readonly hint: string;
}

const TAKEN: Taken = {
  message: 'another collector is using this data folder',
  hint: 'stop the other one, or give this one another folder with --data',
};

/**
 * Keeps a folder to one process. The lock is SQLite's own on an empty database file: the kernel lets go of it when the
 * process dies, however it dies, so there is no stale lock to judge. (Node itself offers no file locks.)
 */
export class FolderLock {
  readonly #file: string;
  readonly #taken: Taken;
  #db: DatabaseSync | null = null;

  constructor(file: string, taken: Taken = TAKEN) {
    this.#file = file;
    this.#taken = taken;
  }

  /** Takes the lock or throws at once. */
  async start(): Promise<void> {
    await (await open(this.#file, 'a', 0o600)).close();
    const db = new DatabaseSync(this.#file, { timeout: 0 });
    try {
      // Nothing is ever written, so a journal would only be litter.
      db.exec('PRAGMA journal_mode=OFF; BEGIN EXCLUSIVE');
    } catch (cause) {
      db.close();
      const { message, hint } = this.#taken;
      throw new TelemetryError('failed', message, { op: 'lock folder', hint, cause });
    }
    this.#db = db;
  }

  stop(): void {
    this.#db?.close();
    this.#db = null;
  }
}
