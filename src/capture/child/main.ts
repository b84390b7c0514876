import { writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { hostname } from 'node:os';
import { EXIT } from '../../core/errors.ts';
import { dumpNotes, forbidDumps } from '../../posix/dumpable.ts';
import { openLibc } from '../../posix/libc-koffi.ts';
import { openMacosInput } from '../../posix/macos-input.ts';
import { delayNode } from '../delay-node.ts';
import { BackendFailure } from './backend.ts';
import { CaptureRun } from './capture-run.ts';
import { ChildPipe } from './child-pipe.ts';
import { chooseBackend } from './choose-backend.ts';
import { chooseFocus } from './choose-focus.ts';
import { terminalGate, ttyMode } from './terminal-gate.ts';

/** File descriptor of the pipe to the daemon, the child's only way out. */
const PIPE_FD = 3;

/**
 * The capture child: reads its configuration from the pipe on fd 3, captures until the daemon closes its end, hands
 * over what came before, and returns the exit code.
 */
export async function main(): Promise<number> {
  // Before the next line makes this file root's.
  goFirst();
  const opened = openLibc();
  // Before anything is read: from here on no other program of the person can look into this one.
  const notes = dumpNotes('capture process', forbidDumps(opened, process.platform));
  const pipe = new ChildPipe(
    new Socket({ fd: PIPE_FD, readable: true, writable: true, allowHalfOpen: true }),
  );
  const hangUp = new AbortController();
  // On a broken pipe nobody is left to hand anything to: no farewell, just gone.
  const config = await pipe.open(
    () => hangUp.abort(),
    () => process.exit(EXIT.failed),
  );
  if (config === null) return EXIT.ok;
  const nowMonoMs = (): number => Number(process.hrtime.bigint()) / 1e6;
  const surroundings = {
    env: process.env,
    platform: process.platform,
    hostname: hostname(),
    libc: opened.libc,
    macosInput: process.platform === 'darwin' ? openMacosInput(openLibc) : null,
    uid: process.getuid?.() ?? 0,
    nowMonoMs,
    delay: delayNode,
  };
  try {
    const focus = chooseFocus(config, surroundings);
    const backend = chooseBackend(config, surroundings);
    const secretGate = terminalGate('/proc', (path) => ttyMode(opened.libc, path));
    const run = new CaptureRun({
      config,
      pipe,
      backend,
      focus,
      secretGate,
      notes,
      nowMonoMs,
      delay: delayNode,
      started: collectStart,
    });
    hangUp.signal.addEventListener('abort', () => run.stop());
    if (hangUp.signal.aborted) return EXIT.ok;
    return await run.run();
  } catch (error) {
    if (!(error instanceof BackendFailure)) throw error;
    pipe.send({ type: 'failed', reason: error.reason });
    await pipe.close();
    return EXIT.failed;
  }
}

/**
 * Short of memory, the kernel ends this process before any other (proc(5), `oom_score_adj`): the daemon holds what is
 * recorded and starts another one. Elsewhere than on Linux there is no such file.
 */
function goFirst(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Then the kernel chooses by size, and the daemon is the larger one.
  }
}

/**
 * Gives back what only the start needed, 1.9 MB of private memory for 27 ms of CPU, once: with young generations this
 * small it would stay for good. Input waits in the X server meanwhile.
 */
function collectStart(): void {
  globalThis.gc?.({ type: 'major', flavor: 'last-resort' });
}
