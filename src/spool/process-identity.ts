import { readFileSync } from 'node:fs';
import process from 'node:process';

/** A process beyond its number, which is reused. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in whatever unit the system gives; only compared. */
  readonly startTime: string;
  /** `Clock.bootId`: start times of Linux count from boot, so that they repeat after another. */
  readonly bootId: string;
}

/** This process. */
export function ownIdentity(bootId: string): ProcessIdentity {
  return { pid: process.pid, startTime: startTimeOf(process.pid) ?? '', bootId };
}

/** Whether exactly that process still runs. A zombie does not. */
export function isRunning(identity: ProcessIdentity, bootId: string): boolean {
  if (process.platform === 'linux' && identity.bootId !== bootId) return false;
  return startTimeOf(identity.pid) === identity.startTime;
}

/** Field 22 of `/proc/<pid>/stat` (proc(5)), clock ticks since boot; on macOS what `ps` says. */
function startTimeOf(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux') {
      // Not imported: the command line loads this file, and Linux never needs it.
      const { execFileSync } = process.getBuiltinModule('node:child_process');
      return execFileSync('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    }
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const isDead = fields[0] === 'Z' || fields[0] === 'X';
    return isDead ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
