import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { TelemetryError } from '../core/errors.ts';

/** What a line of the file is chosen by. */
export interface PasswordFor {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/**
 * The password for a server from `PGPASSFILE`, else `~/.pgpass` (PostgreSQL manual, "The Password File"): the first line
 * `HOST:PORT:DATABASE:USER:PASSWORD` that fits. Read for every connection, so that a new password needs no restart. A file that
 * others can read is refused, as by libpq.
 */
export async function passwordFromFile(
  env: NodeJS.ProcessEnv,
  { host, port, database, user }: PasswordFor,
): Promise<string | undefined> {
  const named = env['PGPASSFILE'] ?? '';
  const path = named === '' ? join(env['HOME'] ?? '/', '.pgpass') : named;
  const text = await readPrivate(path, named !== '');
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) continue;
    const fields = [...line.matchAll(/((?:\\.|[^\\:])*)(?::|$)/g)].map(([, field = '']) =>
      field.replace(/\\(.)/g, '$1'),
    );
    const wanted = [host.startsWith('/') ? 'localhost' : host, String(port), database, user];
    if (wanted.every((value, at) => fields[at] === '*' || fields[at] === value)) return fields[4];
  }
  return undefined;
}

async function readPrivate(path: string, mustBeThere: boolean): Promise<string> {
  const unusable = (message: string, hint: string, cause?: unknown): TelemetryError =>
    new TelemetryError('bad-configuration', message, { op: 'read PGPASSFILE', hint, cause });
  try {
    await using file = await open(path, 'r');
    if (((await file.stat()).mode & 0o077) !== 0)
      throw unusable(`others can read the passwords in ${path}`, `chmod 600 ${path}`);
    return await file.readFile('utf8');
  } catch (error) {
    if (error instanceof TelemetryError) throw error;
    if (!mustBeThere) return '';
    throw unusable(`${path} cannot be read`, 'PGPASSFILE=FILE that this user can read', error);
  }
}
