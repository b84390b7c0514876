import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chown, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { end, freePort, run, said } from './server-program.ts';

/** What the server's superuser is known by. */
const USER = 'postgres';
const PASSWORD = 'only for this test';

/** `nobody` of Debian: PostgreSQL refuses to run as root. */
const NOBODY = 65_534;

/** A PostgreSQL server of its own on loopback, in a temporary folder. */
export interface PostgresServer {
  readonly port: number;
  /** For `PGPASSFILE`. */
  readonly passFile: string;
  /** An empty database; its address, without a password. */
  newDatabase(): Promise<string>;
  /** What a statement gives in a database. */
  query(url: string, statement: string): Promise<object[]>;
  /** Freezes it, as a machine that hangs. */
  freeze(): void;
  thaw(): void;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

/** Debian's folder of the newest server; `null` where none is installed. */
export async function postgresPrograms(): Promise<string | null> {
  const versions = await readdir('/usr/lib/postgresql').catch(() => []);
  const newest = versions.toSorted((a, b) => Number(b) - Number(a))[0];
  return newest === undefined ? null : join('/usr/lib/postgresql', newest, 'bin');
}

/** Makes a server and starts it. Its programs are killed by their pid. */
export async function startPostgres(programs: string): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'postgres-test-'));
  const passFile = join(folder, 'pgpass');
  const secret = join(folder, 'password');
  await writeFile(passFile, `*:*:*:*:${PASSWORD}\n`, { mode: 0o600 });
  await writeFile(secret, PASSWORD, { mode: 0o600 });
  const isRoot = process.getuid?.() === 0;
  if (isRoot) for (const path of [folder, secret]) await chown(path, NOBODY, NOBODY);
  const as = isRoot ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : [];
  const data = join(folder, 'data');
  const init = ['-D', data, '-U', USER, '-A', 'scram-sha-256', '--pwfile', secret, '-E', 'UTF8'];
  run([...as, join(programs, 'initdb'), ...init, '--locale=C', '--no-sync', '--no-instructions']);
  const port = await freePort();
  let server: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, 'fsync=off'];
    const options = settings.flatMap((setting) => ['-c', setting]);
    const command = [...as, join(programs, 'postgres'), '-D', data, '-p', String(port), ...options];
    server = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
    await said(server, 'ready to accept connections');
  };
  // Immediate shutdown: its own processes end with it, and it recovers from its log at the next start.
  const kill = (): Promise<void> => end(server, 'SIGQUIT');
  let databases = 0;
  await start();
  return {
    port,
    passFile,
    newDatabase: async () => {
      databases += 1;
      const url = `postgres://${USER}@127.0.0.1:${port}`;
      await query(`${url}/${USER}`, `CREATE DATABASE test${databases}`);
      return `${url}/test${databases}`;
    },
    query,
    freeze: () => signalAll(server, 'SIGSTOP'),
    thaw: () => signalAll(server, 'SIGCONT'),
    kill,
    start,
    remove: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function query(url: string, statement: string): Promise<object[]> {
  const { hostname, port, pathname } = new URL(url);
  const address = { host: hostname, port: Number(port), user: USER, database: pathname.slice(1) };
  const client = new pg.Client({ ...address, password: PASSWORD });
  await client.connect();
  try {
    return (await client.query<object>(statement)).rows;
  } finally {
    await client.end();
  }
}

/** Each connection has a process of its own below the server's. */
function signalAll(server: ChildProcess | undefined, signal: 'SIGSTOP' | 'SIGCONT'): void {
  if (server?.pid === undefined) throw new Error('it does not run');
  const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8');
  for (const pid of children.split(' ').map(Number)) if (pid > 0) process.kill(pid, signal);
  server.kill(signal);
}
