import { chmod, lstat, mkdir, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { TelemetryError } from '../core/errors.ts';

/** Makes the socket's folder with this mode, or makes sure that nobody else can replace what is in an existing one. */
export async function prepareSocketFolder(folder: string, mode: number): Promise<void> {
  // The umask would take from the mode.
  if ((await mkdir(folder, { recursive: true, mode })) !== undefined) await chmod(folder, mode);
  const stats = await lstat(folder);
  const isOthersToWrite = (stats.mode & 0o022) !== 0 && (stats.mode & 0o1000) === 0;
  const isOurs = stats.uid === 0 || stats.uid === process.getuid?.();
  if (stats.isDirectory() && isOurs && !isOthersToWrite) return;
  throw new TelemetryError('bad-configuration', `Others could replace the control socket in ${folder}.`, {
    op: 'make the control socket',
    hint: `chmod 700 ${folder}, or point TELEMETRYD_SOCKET at a folder of your own`,
  });
}

/** Removes a socket that a dead daemon left behind. Throws when a live one answers, or when it is no socket. */
export async function clearSocketPath(path: string): Promise<void> {
  const stats = await lstat(path).catch((error: unknown) => absentIfMissing(error));
  if (stats === undefined) return;
  if (!stats.isSocket()) {
    throw new TelemetryError('bad-configuration', `${path} is in the way: it is not a socket.`, {
      op: 'make the control socket',
      hint: 'move it, or set TELEMETRYD_SOCKET to another path',
    });
  }
  if (await isAnswered(path)) {
    throw new TelemetryError('failed', `Another telemetryd is running and answers at ${path}.`, {
      op: 'make the control socket',
      hint: 'telemetryctl status shows it; stop it first, or set TELEMETRYD_STATE_DIR for a second one',
    });
  }
  await unlink(path).catch((error: unknown) => absentIfMissing(error));
}

/** Anything but "nobody listens" counts as alive: a busy daemon must not lose its socket. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
    });
  });
}

function absentIfMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}
