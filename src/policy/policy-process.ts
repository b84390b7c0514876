import { type ExecFileException, execFile } from 'node:child_process';
import { messageOf } from '../core/errors.ts';
import type { LoadedPolicy } from '../core/policy.ts';
import { decodeLoadedPolicy, isProblems } from './last-good.ts';
import { loaderArguments } from './loader/arguments.ts';
import type { PolicyPaths, Refused } from './policy-outcome.ts';

/** How the policy reader is started. */
export interface LoaderProgram {
  readonly execPath: string;
  /** Flags of Node itself. */
  readonly execArgv: readonly string[];
  /** The reader's bundle. */
  readonly entry: string;
  readonly env: Readonly<Record<string, string>>;
  /** Reading takes some 200 ms on a slow laptop; 10 s is a hang. */
  readonly timeoutMs: number;
}

/** A policy of 256 KiB grows by its origins and problems; what is longer is not from our reader. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/**
 * Reads and merges the policy files in a process of its own. Never rejects: a reader that crashes, hangs or talks
 * nonsense is a problem like a file that is wrong.
 */
export function loadPolicy(paths: PolicyPaths, program: LoaderProgram): Promise<LoadedPolicy | Refused> {
  const { execPath, execArgv, entry, env, timeoutMs } = program;
  return new Promise((resolve) => {
    execFile(
      execPath,
      [...execArgv, entry, ...loaderArguments(paths)],
      { env, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: MAX_ANSWER_BYTES, windowsHide: true },
      (error, stdout) => {
        resolve(error === null ? readAnswer(paths, stdout) : refused(paths, reasonOf(error, timeoutMs)));
      },
    );
  });
}

function readAnswer(paths: PolicyPaths, stdout: string): LoadedPolicy | Refused {
  let answer: unknown;
  try {
    answer = JSON.parse(stdout);
  } catch {
    return refused(paths, 'the policy reader gave no answer that can be read');
  }
  const loaded = decodeLoadedPolicy(answer);
  if (loaded !== undefined) return loaded;
  if (typeof answer === 'object' && answer !== null && 'policy' in answer && 'problems' in answer) {
    if (answer.policy === null && isProblems(answer.problems))
      return { policy: null, problems: answer.problems };
  }
  return refused(paths, 'the policy reader gave an answer of another version');
}

/** Never the reader's own words: its message repeats the whole command line. */
function reasonOf(error: ExecFileException, timeoutMs: number): string {
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'the policy reader said more than it may';
  if (error.killed === true) return `the policy reader did not answer within ${timeoutMs} ms`;
  if (typeof error.signal === 'string') return `the policy reader was killed (${error.signal})`;
  if (typeof error.code === 'number') return `the policy reader failed (exit code ${error.code})`;
  return `the policy reader cannot be started: ${messageOf(error)}`;
}

function refused(paths: PolicyPaths, text: string): Refused {
  const hint = `telemetryd check-policy ${paths.policyFile}`;
  return { policy: null, problems: [{ severity: 'error', where: paths.policyFile, text, hint }] };
}
