import type { Reason } from '../core/collection.ts';
import type { OpenedLibc } from './libc-koffi.ts';

/** `linux/prctl.h` */
const PR_SET_DUMPABLE = 4;
const PRCTL = 'int prctl(int option, ulong arg2, ulong arg3, ulong arg4, ulong arg5)';

/**
 * Keeps this process's memory from other programs of the same person: no core dump (a core limit does not stop dump
 * handlers on a pipe), no debugger, no `/proc/<pid>/mem`. Gives what went wrong, `null` when it worked or where the
 * system has no such thing (macOS).
 */
export function forbidDumps({ libc, problem }: OpenedLibc, platform: string): string | null {
  if (platform !== 'linux') return null;
  if (libc === null) return problem;
  const { value, errno } = libc.call(PRCTL, PR_SET_DUMPABLE, 0, 0, 0, 0);
  return value === 0 ? null : `prctl failed with error ${errno}`;
}

/** What {@link forbidDumps} leaves to be said to the person of a process: nothing when it worked. */
export function dumpNotes(who: string, problem: string | null): Reason[] {
  if (problem === null) return [];
  return [
    {
      code: 'memory-readable',
      text: `Other programs of yours could read the memory of the ${who}: ${problem}.`,
      hint: 'npm install again on this machine, so that koffi is there',
    },
  ];
}
