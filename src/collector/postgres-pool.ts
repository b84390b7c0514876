import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type { PoolClient, PoolConfig } from 'pg';
import { isStatementError, postgresError } from './postgres-error.ts';
import { type PasswordFor, passwordFromFile } from './postgres-password.ts';
import type { PostgresAddress } from './postgres-url.ts';

/**
 * A server takes 100 connections by default: ten for each instance serve several of them, and a query takes milliseconds.
 * One that answers within some seconds is waited for; one that does not is down. A transaction in which nobody says anything is
 * one of an instance that hangs.
 */
const LIMITS = {
  max: 10,
  connectionTimeoutMillis: 5000,
  idleTimeoutMillis: 60_000,
  idle_in_transaction_session_timeout: 30_000,
  keepAlive: true,
};

/**
 * Connections for kysely. A connection on which anything but a statement failed is closed, never used again: a query that
 * was given up may still be running on it, inside a transaction that is not the next one's.
 */
export async function connectPool(
  { queryTimeoutMs, ...address }: PostgresAddress,
  access: 'read-write' | 'read-only',
  what: string,
): Promise<PostgresPool> {
  const { default: pg } = await import('pg');
  const { env } = process;
  const { INT8, NUMERIC } = pg.types.builtins;
  const types = new pg.TypeOverrides();
  // 64-bit integers and sums of them, all below 2^53 here.
  for (const type of [INT8, NUMERIC]) types.setTypeParser(type, Number);
  const config: PoolConfig = {
    ...address,
    ...LIMITS,
    query_timeout: queryTimeoutMs,
    ...(access === 'read-only' ? { options: '-c default_transaction_read_only=on' } : {}),
    application_name: 'telemetry-collector',
    types,
  };
  // Looked into by `pg` itself. Its types know nothing of what it gives the function.
  if (env['PGPASSWORD'] === undefined)
    Object.assign(config, { password: (asked: PasswordFor) => passwordFromFile(env, asked) });
  const pool = new pg.Pool(config);
  // A connection whose server goes away says so here, idle or between two queries; the next query finds it out.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return {
    options: pool.options,
    connect: async () => {
      try {
        return new Connection(await pool.connect(), what);
      } catch (error) {
        throw postgresError(error, what);
      }
    },
    end: () => pool.end(),
  };
}

class Connection implements PostgresPoolClient {
  readonly #client: PoolClient;
  readonly #what: string;
  #broken: Error | null = null;

  constructor(client: PoolClient, what: string) {
    this.#client = client;
    this.#what = what;
  }

  /** kysely calls it with a text and values; it has no cursors here. */
  readonly query = (async (text: string, values: readonly unknown[]) => {
    if (this.#broken !== null) throw this.#broken;
    try {
      return await this.#client.query(text, [...values]);
    } catch (error) {
      const told = postgresError(error, this.#what);
      if (!isStatementError(error)) this.#broken = told;
      throw told;
    }
  }) as unknown as PostgresPoolClient['query'];

  release(): void {
    this.#client.release(this.#broken !== null);
  }
}
