import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { TelemetryError } from '../core/errors.ts';
import { DiskError, diskError } from './disk-error.ts';
import { cutFile, readAt, syncFolder, writeAll, writeDurably } from './durable-file.ts';
import type { FileSystem } from './file-system.ts';
import { fileSystemNode } from './file-system-node.ts';

const { O_CREAT, O_EXCL, O_RDWR, O_APPEND, O_NOFOLLOW } = constants;

/**
 * Opens a file (0600) to append to; never through a symbolic link. `new`: it must not exist. `any`: it is created when
 * it does not.
 */
export function openAppendFile(
  path: string,
  existence: 'new' | 'any',
  files: FileSystem = fileSystemNode,
): AppendFile {
  try {
    const exclusive = existence === 'new' ? O_EXCL : 0;
    const fd = files.openSync(path, O_CREAT | O_RDWR | O_APPEND | O_NOFOLLOW | exclusive, 0o600);
    try {
      const found = files.fstatSync(fd);
      if (!found.isFile()) {
        throw new TelemetryError('failed', `${path} is not a regular file`, {
          op: 'open',
          hint: 'move it away',
        });
      }
      if (found.size === 0) syncFolder(dirname(path), files);
      return new AppendFile(path, fd, found.size, files);
    } catch (error) {
      files.closeSync(fd);
      // Else its name would be in the way of the next try.
      if (existence === 'new') files.unlinkSync(path);
      throw error;
    }
  } catch (cause) {
    throw cause instanceof TelemetryError ? cause : diskError('open', path, cause);
  }
}

/** A file that only grows, by whole pieces: what could not be written whole is cut off again. */
export class AppendFile {
  readonly path: string;
  #fd: number;
  readonly #files: FileSystem;
  #sizeBytes: number;
  #hasTornTail = false;
  #isSyncLost = false;

  constructor(path: string, fd: number, sizeBytes: number, files: FileSystem) {
    this.path = path;
    this.#fd = fd;
    this.#sizeBytes = sizeBytes;
    this.#files = files;
  }

  get fd(): number {
    return this.#fd;
  }

  /** Bytes of all whole pieces. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Whether part of a refused append still stands behind the whole pieces: the disk did not let it be cut off either. */
  get hasTornTail(): boolean {
    return this.#hasTornTail;
  }

  /**
   * Writes pieces through to the kernel: a killed process loses nothing, a power cut what was not synced. On failure
   * none of them is in the file and a {@link TelemetryError} is thrown, retryable when the disk was full or failing.
   */
  append(...pieces: readonly Uint8Array[]): void {
    try {
      this.#renew();
      this.#cutTornTail();
      this.#hasTornTail = true;
      for (const piece of pieces) writeAll(this.#fd, piece, this.#files);
      this.#hasTornTail = false;
    } catch (cause) {
      const error = cause instanceof DiskError ? cause : diskError('append to', this.path, cause);
      try {
        this.#cutTornTail();
      } catch {
        // The disk refuses this too; the next append tries again before it writes, and readers skip a torn tail.
      }
      throw error;
    }
    for (const piece of pieces) this.#sizeBytes += piece.length;
  }

  /**
   * Makes what was appended outlast a power cut (fdatasync). After a failure the kernel may have forgotten what it
   * could not write, so that a second try would lie: the next append writes all of it to a new file first.
   */
  sync(): void {
    try {
      this.#cutTornTail();
      this.#files.fdatasyncSync(this.#fd);
    } catch (cause) {
      this.#isSyncLost = true;
      throw new DiskError('unavailable', diskError('sync', this.path, cause).message, {
        op: 'sync',
        hint: 'look at the disk that holds it (dmesg)',
        cause,
      });
    }
  }

  close(): void {
    this.#files.closeSync(this.#fd);
  }

  #renew(): void {
    if (!this.#isSyncLost) return;
    writeDurably(this.path, readAt(this.#fd, 0, this.#sizeBytes, this.#files), this.#files);
    const fd = this.#files.openSync(this.path, O_RDWR | O_APPEND | O_NOFOLLOW);
    this.#files.closeSync(this.#fd);
    this.#fd = fd;
    this.#isSyncLost = false;
  }

  #cutTornTail(): void {
    if (!this.#hasTornTail) return;
    cutFile(this.#fd, this.#sizeBytes, this.#files);
    this.#hasTornTail = false;
  }
}
