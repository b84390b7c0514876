import { closeSync, existsSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { TelemetryError } from '../core/errors.ts';
import { diskError } from '../spool/disk-error.ts';
import type { CliIo } from './io.ts';

/** Where an export goes. */
export interface ExportTarget {
  write(data: string | Uint8Array): void;
  /** All is written: shows it under its name. */
  finish(): void;
  /** Leaves nothing behind. */
  discard(): void;
}

/** Standard output, for text. */
export function standardOutput(io: CliIo): ExportTarget {
  return {
    write: (data) => io.out(typeof data === 'string' ? data : Buffer.from(data).toString()),
    finish: () => undefined,
    discard: () => undefined,
  };
}

/**
 * A new file, only for whoever asked (0600: it holds events), under another name until it is whole. Refuses to replace a
 * file: it could be one of those that are exported.
 */
export class FileTarget implements ExportTarget {
  readonly #path: string;
  readonly #option: string;
  readonly #partPath: string;
  #fd: number | null = null;

  /** `mark` tells this process's unfinished file from another's; `option` names the file on the command line. */
  constructor(path: string, mark: number, option = '--output') {
    this.#option = option;
    this.#path = path;
    this.#partPath = `${path}.part-${mark}`;
  }

  open(): void {
    if (existsSync(this.#path)) {
      throw new TelemetryError('usage', `${this.#path} exists, and no file is replaced.`, {
        op: 'write',
        hint: `another ${this.#option}, or move that file away`,
      });
    }
    try {
      rmSync(this.#partPath, { force: true });
      this.#fd = openSync(this.#partPath, 'wx', 0o600);
    } catch (cause) {
      throw diskError('write', this.#path, cause);
    }
  }

  write(data: string | Uint8Array): void {
    if (this.#fd === null) throw new Error('not open');
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done);
    } catch (cause) {
      throw diskError('write', this.#path, cause);
    }
  }

  finish(): void {
    this.#close();
    try {
      renameSync(this.#partPath, this.#path);
    } catch (cause) {
      throw diskError('write', this.#path, cause);
    }
  }

  discard(): void {
    this.#close();
    rmSync(this.#partPath, { force: true });
  }

  #close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }
}
