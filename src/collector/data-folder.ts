import { statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { TelemetryError } from '../core/errors.ts';

/** Where data lies when nobody says otherwise: the XDG base directory specification, which ignores relative paths. */
export function defaultDataDir(env: NodeJS.ProcessEnv): string {
  const xdg = env['XDG_DATA_HOME'] ?? '';
  if (xdg.startsWith('/')) return join(xdg, 'telemetry-collector');
  const home = env['HOME'] ?? '';
  if (home !== '') return resolve(home, '.local/share/telemetry-collector');
  throw new TelemetryError('usage', 'there is no home folder to keep data in', { hint: '--data DIR' });
}

/** Room for users other than root on the disk of a folder. */
export async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
