import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { Log } from '../../core/clock.ts';
import { TelemetryError } from '../../core/errors.ts';
import type { AdminBook } from '../admin-book.ts';
import { type ListenAddress, urlOf } from '../listen-address.ts';
import { SERVER_LIMITS } from '../server-limits.ts';
import type { TlsFiles } from '../tls-server.ts';
import { PLACES } from './document.ts';
import type { FleetDesk } from './fleet-page.ts';
import { createPage } from './page-server.ts';
import { SessionKeeper } from './session-keeper.ts';

/** Where the page is served. */
export interface PageAddress {
  readonly listen: ListenAddress;
  /** `null`: plain HTTP, for this machine alone. */
  readonly tls: TlsFiles | null;
}

/** What it is served from. */
export interface PageSources {
  readonly fleet: FleetDesk;
  readonly admins: AdminBook;
  readonly log: Log;
  readonly monoMs: () => number;
}

/** A page that is being served. */
export interface RunningPage {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the page for whoever runs the programme, on an address of its own; resolves once it listens. */
export async function servePage(
  { listen: { host, port }, tls }: PageAddress,
  { fleet, admins, log, monoMs }: PageSources,
): Promise<RunningPage> {
  const randomText = (bytes: number): string => randomBytes(bytes).toString('base64url');
  const sessions = new SessionKeeper({ monoMs, randomText });
  const decisions = { exemptions: fleet.exemptions, log };
  const app = await createPage({ admins, sessions, fleet, decisions, tls, limits: SERVER_LIMITS, log });
  try {
    await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    throw new TelemetryError('failed', `cannot listen on ${urlOf({ host, port }, tls !== null)}`, {
      op: 'listen',
      hint: 'another port with --admin-listen',
      cause,
    });
  }
  const { port: taken } = app.server.address() as AddressInfo;
  const url = `${urlOf({ host, port: taken }, tls !== null)}${PLACES.fleet}`;
  if ((await admins.list()).length === 0)
    log.warn({ url }, 'nobody can use the page yet: telemetry-collector admin-token add NAME');
  return {
    url,
    close: async () => {
      const closed = app.close();
      app.server.closeAllConnections();
      await closed;
    },
  };
}
