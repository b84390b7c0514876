import { spawn } from 'node:child_process';
import type { Log } from '../core/clock.ts';
import { EXIT } from '../core/errors.ts';
import type { UploaderProcess } from './upload-driver.ts';

/** Enough for the one line an uploader prints when it fails. */
const STDERR_KEPT_CHARS = 1024;

/** With these it has told what it sent, or was heard to send nothing; see `upload/main.ts`. */
const ACCOUNTED: readonly (number | null)[] = [EXIT.ok, EXIT.partly, EXIT.interrupted];

/** Starts the uploader for one round. It finds the daemon by the socket it is given and nothing else. */
export function startUploader(
  execPath: string,
  args: readonly string[],
  env: Record<string, string>,
  log: Log,
): UploaderProcess {
  const child = spawn(execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_KEPT_CHARS);
  });
  const exited = new Promise<boolean>((resolve) => {
    child.on('error', (error) => {
      log.error({ event: 'uploader-not-started', err: error.message }, 'the uploader could not be started');
      resolve(true);
    });
    child.on('close', (code, signal) => {
      log.debug({ event: 'uploader-exited', code, signal }, 'the uploader exited');
      if (code !== 0 && stderr.trim() !== '')
        log.warn(
          { event: 'uploader-problem', code, stderr: stderr.trim() },
          'the uploader reported a problem',
        );
      resolve(ACCOUNTED.includes(code));
    });
  });
  return {
    exited,
    kill: () => child.kill('SIGKILL'),
    // Its end tells more than its connection, and it must not wait for that.
    attended: () => undefined,
    accounted: () => Promise.resolve(),
  };
}
