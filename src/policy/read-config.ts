import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../core/errors.ts';
import type { PolicyProblem } from '../core/policy.ts';

/** A policy of a thousand excluded names is 40 KB; what is larger is no policy, and parsing it would cost memory. */
const MAX_BYTES = 256 * 1024;

/** Who may have written a file, by user id. */
export interface Ownership {
  readonly uids: readonly number[];
  /** How a message names them. */
  readonly words: string;
}

export type ConfigText =
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly problem: PolicyProblem }
  | { readonly kind: 'text'; readonly text: string; readonly unsafe: PolicyProblem | null };

/**
 * Reads a policy or preferences file as text. What is not a regular file of UTF-8 text of at most 256 KiB is refused.
 * `unsafe` says that somebody else than its owners can change the file; the daemon refuses such a one.
 */
export function readConfig(path: string, owners: Ownership): ConfigText {
  let fd: number;
  try {
    // Non-blocking, so that a FIFO of that name cannot hold the reader up; it means nothing for regular files.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { kind: 'absent' };
    return refused(
      path,
      `cannot be read: ${messageOf(error)}`,
      'make it readable for the account that runs this',
    );
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) return refused(path, 'is not a regular file', 'name a file of TOML text');
    const bytes = readAtMost(fd, MAX_BYTES + 1);
    if (bytes.length > MAX_BYTES) {
      return refused(
        path,
        'is larger than 256 KiB, which no policy needs',
        'check that it is the right file',
      );
    }
    return decode(path, bytes, unsafeReason(path, stats, owners));
  } finally {
    closeSync(fd);
  }
}

/** The files of a configuration folder, in the order of their names, or why none of them may be read. */
export type ConfigList =
  | { readonly kind: 'files'; readonly files: readonly string[] }
  | { readonly kind: 'refused'; readonly problem: PolicyProblem };

/**
 * Lists the files of a folder whose names have this ending; hidden ones, such as those of editors, are left out. A
 * folder that does not exist has none. Refuses one that somebody else than its owners could put files into.
 */
export function listConfig(folder: string, owners: Ownership, ending: string): ConfigList {
  try {
    const stats = statSync(folder, { throwIfNoEntry: false });
    if (stats === undefined) return { kind: 'files', files: [] };
    const unsafe = unsafeReason(folder, stats, owners);
    if (unsafe !== null) return { kind: 'refused', problem: unsafe };
    return { kind: 'files', files: configFiles(folder, ending) };
  } catch (error) {
    const why = problem(
      folder,
      `cannot be read: ${messageOf(error)}`,
      'make it readable for the account that runs this',
    );
    return { kind: 'refused', problem: why };
  }
}

/** The files of an existing folder with this ending, in the order of their names, without the hidden ones of editors. */
export function configFiles(folder: string, ending: string): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(ending) && !name.startsWith('.'));
  return names.sort().map((name) => join(folder, name));
}

function readAtMost(fd: number, limit: number): Uint8Array {
  const bytes = new Uint8Array(limit);
  let length = 0;
  while (length < limit) {
    const got = readSync(fd, bytes, length, limit - length, null);
    if (got === 0) break;
    length += got;
  }
  return bytes.subarray(0, length);
}

/** A byte order mark at the beginning is dropped, as editors of Windows write it. */
function decode(path: string, bytes: Uint8Array, unsafe: PolicyProblem | null): ConfigText {
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), unsafe };
  } catch {
    const line = firstBadLine(bytes);
    return refused(`${path}:${line}:1`, 'this line is not UTF-8 text', 'save the file as UTF-8');
  }
}

function firstBadLine(bytes: Uint8Array): number {
  const newline = 0x0a;
  for (let start = 0, line = 1; start <= bytes.length; line++) {
    const end = bytes.indexOf(newline, start);
    const stop = end < 0 ? bytes.length : end;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(start, stop));
    } catch {
      return line;
    }
    start = stop + 1;
  }
  return 1;
}

function unsafeReason(path: string, stats: Stats, owners: Ownership): PolicyProblem | null {
  if (!owners.uids.includes(stats.uid)) {
    return problem(
      path,
      `belongs to user ${stats.uid}; it must belong to ${owners.words}, or someone else could change it`,
      `chown ${owners.uids[0] ?? 0} ${path}`,
    );
  }
  if ((stats.mode & 0o022) === 0) return null;
  return problem(path, 'can be changed by others than its owner', `chmod go-w ${path}`);
}

function refused(where: string, text: string, hint: string): ConfigText {
  return { kind: 'refused', problem: problem(where, text, hint) };
}

function problem(where: string, text: string, hint: string): PolicyProblem {
  return { severity: 'error', where, text, hint };
}
