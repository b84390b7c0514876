import type { Reason } from '../core/collection.ts';

/** How a capture process ended, as far as the daemon can see. */
export interface ChildExit {
  /** Exit code; `null` when a signal ended it, or when it never ran. */
  readonly code: number | null;
  readonly signal: string | null;
  /** The end of what it wrote to stderr, printable. */
  readonly stderr: string;
  /** What it said itself before it went. */
  readonly said: Reason | null;
  /** We asked it to go. */
  readonly isStopped: boolean;
  /** Why we killed it, if we did. */
  readonly killedFor: Reason | null;
}

/** Why the process ended, in words; the child's own words first. */
export function exitReason(exit: ChildExit): Reason {
  if (exit.killedFor !== null) return exit.killedFor;
  if (exit.isStopped) return { code: 'stopped', text: 'Capture was stopped.', hint: '' };
  if (exit.said !== null) return exit.said;
  const told = PATTERNS.find(({ pattern }) => pattern.test(exit.stderr));
  if (told !== undefined) return told.reason;
  if (exit.signal === 'SIGKILL' || exit.signal === 'SIGTERM') {
    return {
      code: 'killed',
      text: `The capture process was ended from outside (${exit.signal}).`,
      hint: 'look for an out-of-memory kill: journalctl -k --grep "Out of memory"',
    };
  }
  if (exit.signal !== null) {
    return {
      code: 'hook-crashed',
      text: `The capture process crashed in native code (${exit.signal}).`,
      hint: 'it is started again by itself; if it goes on, set capture.backend to another one',
    };
  }
  return {
    code: 'child-exited',
    text: `The capture process ended by itself (exit code ${exit.code ?? 'none'}).`,
    hint: 'it is started again by itself; run the daemon with --log-level debug to see what it printed',
  };
}

/** A child that is asked to stop and does not. */
export const NOT_STARTED_IN_TIME: Reason = {
  code: 'start-timeout',
  text: 'The capture process did not get ready in time.',
  hint: 'the X server may hang; it is tried again by itself',
};

/** What libraries print before they end the process themselves. */
const PATTERNS: readonly { readonly pattern: RegExp; readonly reason: Reason }[] = [
  {
    // libX11's default I/O error handler, which then calls exit(1).
    pattern: /fatal IO error|X connection to \S+ broken/i,
    reason: {
      code: 'display-gone',
      text: 'The X server went away.',
      hint: 'nothing to do: capture resumes by itself when it is back',
    },
  },
  {
    // The display went between our look at it and the hook's.
    pattern: /XOpenDisplay failure|(?:can.?t|cannot|unable to) open display/i,
    reason: {
      code: 'no-display',
      text: 'The X display could not be opened.',
      hint: 'check DISPLAY and XAUTHORITY; it is tried again by itself',
    },
  },
  {
    pattern: /out of memory|bad_alloc/i,
    reason: {
      code: 'out-of-memory',
      text: 'The capture process ran out of memory.',
      hint: 'it is started again by itself; give the machine or the service more memory',
    },
  },
  {
    pattern: /error while loading shared libraries|cannot open shared object file/i,
    reason: {
      code: 'native-library-missing',
      text: 'A library that the capture process needs is not installed.',
      hint: 'sudo apt-get install libx11-6 libxrandr2 libxtst6 libxt6',
    },
  },
];
