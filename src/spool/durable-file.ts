import { constants } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { TelemetryError } from '../core/errors.ts';
import { diskError, errnoOf } from './disk-error.ts';
import type { FileSystem } from './file-system.ts';
import { fileSystemNode } from './file-system-node.ts';

const { O_CREAT, O_EXCL, O_WRONLY, O_RDONLY, O_NOFOLLOW, O_DIRECTORY } = constants;

/** `name.tmp-<pid>`: whose it is shows, so that a left-over can be told from one being written by another process. */
const TEMP_NAME = /\.tmp-(\d+)$/;

/**
 * Replaces a file at once and for good: whole new content or the old one, whatever happens meanwhile. It is written to
 * a new 0600 file beside it, synced, renamed over it, and the folder is synced. Every whole file of the state folder,
 * sealed segments included, is written here. Synchronous, as everything in this folder: see `spool.ts`. Every function
 * here works on the `files` it is given.
 */
export function writeDurably(path: string, bytes: Uint8Array, files: FileSystem = fileSystemNode): void {
  const temp = `${path}.tmp-${process.pid}`;
  try {
    const fd = openExclusively(temp, files);
    try {
      writeAll(fd, bytes, files);
      files.fsyncSync(fd);
    } finally {
      files.closeSync(fd);
    }
    files.renameSync(temp, path);
    syncFolder(dirname(path), files);
  } catch (cause) {
    discard(temp, files);
    throw diskError('write', path, cause);
  }
}

function discard(temp: string, files: FileSystem): void {
  try {
    files.unlinkSync(temp);
  } catch {
    // Never made, or renamed already; else the next start removes it. The write's own error is the one to report.
  }
}

/** Opens a new 0600 file that nobody prepared: a left-over or planted file or link of that name is removed first. */
function openExclusively(path: string, files: FileSystem): number {
  const flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW;
  try {
    return files.openSync(path, flags, 0o600);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    files.unlinkSync(path);
    return files.openSync(path, flags, 0o600);
  }
}

/** Writes all of `bytes`, however many calls it takes. */
export function writeAll(fd: number, bytes: Uint8Array, files: FileSystem = fileSystemNode): void {
  let done = 0;
  while (done < bytes.length) done += files.writeSync(fd, bytes, done, bytes.length - done);
}

/** The bytes of a regular file; a symbolic link or anything else is refused. `undefined` when there is none. */
export function readPlainFile(path: string, files: FileSystem = fileSystemNode): Uint8Array | undefined {
  const fd = openPlainFile(path, files);
  if (fd === undefined) return undefined;
  try {
    return readAt(fd, 0, files.fstatSync(fd).size, files);
  } catch (cause) {
    throw diskError('read', path, cause);
  } finally {
    files.closeSync(fd);
  }
}

/** Opens a regular file for reading without following a link. `undefined` when there is none. */
export function openPlainFile(path: string, files: FileSystem = fileSystemNode): number | undefined {
  let fd: number;
  try {
    // Non-blocking, so that a planted FIFO cannot hold the daemon up; it means nothing for regular files.
    fd = files.openSync(path, O_RDONLY | O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw diskError('read', path, cause);
  }
  if (files.fstatSync(fd).isFile()) return fd;
  files.closeSync(fd);
  throw new TelemetryError('failed', `${path} is not a regular file`, { op: 'read', hint: 'move it away' });
}

/** Up to `length` bytes from `offset`; fewer at the end of the file. */
export function readAt(
  fd: number,
  offset: number,
  length: number,
  files: FileSystem = fileSystemNode,
): Uint8Array {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const got = files.readSync(fd, bytes, done, length - done, offset + done);
    if (got === 0) break;
    done += got;
  }
  return bytes.subarray(0, done);
}

/** Makes a rename, a new name or a removal in `folder` outlast a power cut. */
export function syncFolder(folder: string, files: FileSystem = fileSystemNode): void {
  const fd = files.openSync(folder, O_RDONLY | O_DIRECTORY);
  try {
    files.fsyncSync(fd);
  } finally {
    files.closeSync(fd);
  }
}

/**
 * Creates a folder (0700), durably, or tightens one of ours to 0700. Its last component may not be a symbolic link unless
 * `mayBeLink`: the state folder itself may be one (systemd's `DynamicUser` does that), what is in it may not.
 */
export function ensureFolder(path: string, mayBeLink = false, files: FileSystem = fileSystemNode): void {
  try {
    const first = files.mkdirSync(path, { recursive: true, mode: 0o700 });
    // Else a power cut may take the folder away, with all that was made durable in it.
    for (let made = path; first !== undefined && made.length >= first.length; made = dirname(made))
      syncFolder(dirname(made), files);
    const found = files.lstatSync(path, { throwIfNoEntry: false });
    if (found?.isSymbolicLink() === true && mayBeLink) return;
    if (found?.isDirectory() !== true) {
      throw new TelemetryError('failed', `${path} is not a folder`, {
        op: 'create folder',
        hint: 'replace it by a real folder, or move it away',
      });
    }
    if ((found.mode & 0o077) !== 0) files.chmodSync(path, 0o700);
  } catch (cause) {
    if (cause instanceof TelemetryError) throw cause;
    throw diskError('create folder', path, cause);
  }
}

/** Renames, replacing whatever has the new name (a link itself, not its target). `false` when there was nothing. */
export function moveFile(from: string, to: string, files: FileSystem = fileSystemNode): boolean {
  try {
    files.renameSync(from, to);
    return true;
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return false;
    throw diskError('move', from, cause);
  }
}

/** Removes a file or link; `false` when there was none. */
export function removeFile(path: string, files: FileSystem = fileSystemNode): boolean {
  try {
    files.unlinkSync(path);
    return true;
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return false;
    throw diskError('remove', path, cause);
  }
}

/** Cuts an open file to `sizeBytes` and makes that durable. */
export function cutFile(fd: number, sizeBytes: number, files: FileSystem = fileSystemNode): void {
  files.ftruncateSync(fd, sizeBytes);
  files.fsyncSync(fd);
}

/** The first of `path.<word>-1`, `path.<word>-2`, … that is free: where something damaged is kept rather than lost. */
export function asidePath(path: string, word: string, files: FileSystem = fileSystemNode): string {
  const names = new Set(files.readdirSync(dirname(path)));
  let n = 1;
  while (names.has(`${basename(path)}.${word}-${n}`)) n++;
  return `${path}.${word}-${n}`;
}

/** Removes what interrupted writes of dead processes left in a folder; returns how many. */
export function removeTempFiles(folder: string, files: FileSystem = fileSystemNode): number {
  let removed = 0;
  for (const name of files.readdirSync(folder)) {
    const pid = Number(TEMP_NAME.exec(name)?.[1] ?? 0);
    if (pid > 0 && !isWriting(pid) && removeFile(join(folder, name), files)) removed++;
  }
  return removed;
}

/** Whether another process of that number runs; our own writes are never interrupted while we look. */
function isWriting(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}
