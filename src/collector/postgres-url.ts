import { readFileSync } from 'node:fs';
import { TelemetryError } from '../core/errors.ts';
import { isLoopbackHost } from './listen-address.ts';

const EXAMPLE = '--catalog postgres://collector@db.example.com/telemetry';

/** A server that answers takes milliseconds; one that hangs is not waited for longer than this. */
const QUERY_TIMEOUT_MS = 10_000;

/** Where a PostgreSQL database is. What is not there comes from the variables that libpq knows (`PGHOST`, `PGUSER`, …). */
export interface PostgresAddress {
  /** A name, an IP address, or the folder of a socket. */
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly database?: string;
  /** The server proves its name by a certificate of this authority, or of one that Node knows; `false`: no TLS. */
  readonly ssl: false | { readonly ca?: string };
  readonly queryTimeoutMs: number;
}

/**
 * Reads `postgres://[USER@]HOST[:PORT]/DATABASE[?host=FOLDER&sslmode=…&sslrootcert=FILE]`. A password is not taken here: every
 * user of a machine can read the command lines of all. Beyond this machine TLS is used, unless `sslmode` is `disable`.
 */
export function readPostgresUrl(text: string, env: NodeJS.ProcessEnv): PostgresAddress {
  const url = URL.parse(text);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol))
    throw bad(`"${withoutPassword(text)}" is not the address of a PostgreSQL database`, EXAMPLE);
  const { searchParams } = url;
  if (url.password !== '' || searchParams.has('password')) {
    throw bad(
      'a password on the command line can be read by every user of this machine',
      `PGPASSFILE=FILE (0600) with a line HOST:PORT:DATABASE:USER:PASSWORD, and ${EXAMPLE}`,
    );
  }
  const strange = [...searchParams.keys()].find((name) => !PARAMETERS.includes(name));
  if (strange !== undefined) throw bad(`"${strange}" means nothing here`, `only ${PARAMETERS.join(', ')}`);
  const database = decodeURIComponent(url.pathname.slice(1));
  if (database === '' && !env['PGDATABASE']) throw bad('the address names no database', EXAMPLE);
  const host = searchParams.get('host') ?? decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1');
  return {
    ...(host === '' ? {} : { host }),
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    ...(url.username === '' ? {} : { user: decodeURIComponent(url.username) }),
    ...(database === '' ? {} : { database }),
    ssl: readTls(searchParams, isHere(host === '' ? (env['PGHOST'] ?? '') : host)),
    queryTimeoutMs: QUERY_TIMEOUT_MS,
  };
}

const PARAMETERS = ['host', 'sslmode', 'sslrootcert'];

function isHere(host: string): boolean {
  return host === '' || host === 'localhost' || host.startsWith('/') || isLoopbackHost(host);
}

function readTls(parameters: URLSearchParams, isLocal: boolean): PostgresAddress['ssl'] {
  const mode = parameters.get('sslmode') ?? (isLocal ? 'disable' : 'verify-full');
  const hint = 'sslmode=verify-full, with sslrootcert=FILE for an authority of your own, or sslmode=disable';
  if (mode !== 'verify-full' && mode !== 'disable') throw bad(`sslmode=${mode} proves nothing`, hint);
  if (mode === 'disable') return false;
  const file = parameters.get('sslrootcert');
  if (file === null) return {};
  try {
    return { ca: readFileSync(file, 'utf8') };
  } catch (cause) {
    throw new TelemetryError('usage', `${file} cannot be read`, { op: 'read --catalog', hint, cause });
  }
}

function withoutPassword(text: string): string {
  return text.replace(/\/\/[^@/]*@/, '//…@');
}

function bad(message: string, hint: string): TelemetryError {
  return new TelemetryError('usage', message, { op: 'read --catalog', hint });
}
