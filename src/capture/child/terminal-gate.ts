import { closeSync, constants, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeysShown } from '../../core/focus.ts';
import type { Libc } from '../../posix/libc-koffi.ts';
import { type TerminalMode, terminalMode } from '../../posix/terminal-mode.ts';
import type { SecretGate } from './focus-guard.ts';

/** Reads the mode of a terminal by its path; `null` when it is not to be had. */
export type ReadTtyMode = (path: string) => TerminalMode | null;

/** A window with more processes below it than this is not looked through: what it does is unclear. */
const MAX_PROCESSES = 500;
/** Major numbers of pseudo-terminals, 256 to each (`Documentation/admin-guide/devices.txt`). */
const FIRST_PTS_MAJOR = 136;
const LAST_PTS_MAJOR = 143;

/**
 * Tells a terminal that asks for a secret (echo off, line by line) from one that shows what is typed and from one whose
 * program reads key by key, as shells at their prompt and editors do: those hide what they do. Of several terminals in
 * one window, which one has the keyboard is not known, so the strictest counts. A window without one is an editor.
 */
export function terminalGate(procDir: string, modeOf: ReadTtyMode): SecretGate {
  let known: { readonly pid: number; readonly ttys: readonly string[] | null } = { pid: 0, ttys: null };
  const glance = (pid: number): KeysShown =>
    pid === known.pid && known.ttys !== null ? shown(known.ttys.map(modeOf)) : 'unclear';
  return {
    glance,
    look: (pid) => {
      known = { pid, ttys: ttysBelow(procDir, pid) };
      return glance(pid);
    },
  };
}

function shown(modes: readonly (TerminalMode | null)[]): KeysShown {
  if (modes.some((mode) => mode !== null && mode.canonical && !mode.echo)) return 'secret';
  return modes.every((mode) => mode !== null && mode.canonical) ? 'editor' : 'unclear';
}

/** {@link ReadTtyMode} by the system; never makes the terminal ours. */
export function ttyMode(libc: Libc | null, path: string): TerminalMode | null {
  if (libc === null) return null;
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    return terminalMode(libc, fd, process.platform);
  } finally {
    closeSync(fd);
  }
}

/** The terminals of all processes below one, by path; `null` when they cannot all be told. */
function ttysBelow(procDir: string, pid: number): string[] | null {
  const ttys = new Set<string>();
  const waiting = [pid];
  for (let seen = 0; waiting.length > 0; seen++) {
    const parent = waiting.pop() ?? 0;
    const children = childrenOf(procDir, parent);
    if (children === null) {
      // Gone meanwhile is no matter, unless it is the window's own.
      if (parent === pid) return null;
      continue;
    }
    if (seen > MAX_PROCESSES) return null;
    waiting.push(...children);
    for (const child of children) {
      const tty = ttyOf(procDir, child);
      if (tty !== null) ttys.add(tty);
    }
  }
  return [...ttys];
}

/** Children of all threads of a process (proc(5), `children`, a kernel option that distributions set). */
function childrenOf(procDir: string, pid: number): number[] | null {
  const folder = join(procDir, String(pid), 'task');
  try {
    return readdirSync(folder).flatMap((thread) =>
      readFileSync(join(folder, thread, 'children'), 'latin1')
        .split(' ')
        .filter(Boolean)
        .map(Number),
    );
  } catch {
    return null;
  }
}

/** The controlling terminal of a process; `null` when it has none. */
function ttyOf(procDir: string, pid: number): string | null {
  let stat: string;
  try {
    stat = readFileSync(join(procDir, String(pid), 'stat'), 'latin1');
  } catch {
    return null;
  }
  // Behind the name, which may hold anything: state, parent, group, session, terminal.
  const device = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[4]);
  if (!(device > 0)) return null;
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  if (major < FIRST_PTS_MAJOR || major > LAST_PTS_MAJOR) return `/dev/tty${minor}`;
  return `/dev/pts/${(major - FIRST_PTS_MAJOR) * 256 + minor}`;
}
