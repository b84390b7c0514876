import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Log } from '../core/clock.ts';
import { formatDuration } from '../core/duration.ts';
import { messageOf, TelemetryError } from '../core/errors.ts';
import type { KeyPair } from '../signing/ed25519.ts';
import { Admission } from './admission.ts';
import { CollectorMetrics } from './collector-metrics.ts';
import { dayOf } from './device-health-route.ts';
import { Doorman } from './doorman.ts';
import type { ErasureLog } from './erasure-log.ts';
import { HEALTH_RETENTION_DAYS } from './health-book.ts';
import { KeyedQueue } from './keyed-queue.ts';
import type { Limits } from './limit-options.ts';
import { isLoopbackHost, type ListenAddress, urlOf } from './listen-address.ts';
import { serveMetrics } from './metrics-server.ts';
import { type PageAddress, type RunningPage, servePage } from './page/serve-page.ts';
import { Readiness } from './readiness.ts';
import { adoptOrphans } from './reconcile.ts';
import { RequestLimiter } from './request-limiter.ts';
import type { ServerLimits } from './server-limits.ts';
import type { Stores } from './stores.ts';
import { Sweeper } from './sweeper.ts';
import type { TlsFiles } from './tls-server.ts';

/** What `serve` was asked to do. */
export interface ServeOptions extends Limits {
  readonly listen: ListenAddress;
  readonly limits: ServerLimits;
  /** `null`: plain HTTP. */
  readonly tls: TlsFiles | null;
  /** What devices call it, where that is not what their requests say; without a slash at its end. */
  readonly publicUrl: string | null;
  /** Nobody may come who has not enrolled. */
  readonly isEnrolmentRequired: boolean;
  /** Where whoever runs the programme finds the page; `null`: nowhere. */
  readonly page: PageAddress | null;
}

/** What `serve` stands on. */
export interface ServeParts extends Stores {
  /** `null`: what people have erased is noted in the catalogue alone. */
  readonly erasureLog: ErasureLog | null;
  readonly log: Log;
  readonly wallMs: () => number;
  /** Milliseconds of a clock that nobody sets. */
  readonly monoMs: () => number;
  /** Resolves after so many milliseconds, rejects when aborted. */
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Called with the address once requests are taken. */
  readonly announce: (url: string) => void;
  /** The same of the page. */
  readonly announcePage: (url: string) => void;
}

/** The last answers need to get out, to whoever reads them. */
const LAST_ANSWERS_MS = 1000;

/** Serves until `stop` is aborted, then lets running uploads end. */
export async function serve(options: ServeOptions, parts: ServeParts, stop: AbortSignal): Promise<void> {
  const { store, catalog, exemptions, health, admins, log } = parts;
  const admission = new Admission(options.maxBodies, parts.monoMs);
  const { maxSegmentBytes, retentionMs } = options;
  const keeper = { ...parts, admission, queue: new KeyedQueue(), maxSegmentBytes, retentionMs };
  let metricsServer: Server | null = null;
  let page: RunningPage | null = null;
  try {
    const identity = await open(parts);
    const adopted = await adoptOrphans(store, catalog, parts.wallMs());
    if (adopted > 0) log.warn({ adopted }, 'segments found that a crash had left without a row');
    const shortened = await parts.retention.shorten(retentionMs);
    if (shortened > 0)
      log.info({ shortened }, 'segments that had no end, or a later one, have one by --retention');

    const { tls, publicUrl, isEnrolmentRequired, requests, metricsListen } = options;
    const { devices, replays, use, readers, wallMs, monoMs } = parts;
    const doorman = new Doorman({ devices, replays, wallMs, publicUrl, isEnrolmentRequired });
    const limiter = new RequestLimiter(requests, monoMs);
    const metrics = new CollectorMetrics(wallMs());
    const readiness = new Readiness({ ...parts, maxSegmentBytes, draining: stop });
    // Loaded here, so that `ls` starts without it.
    const { connectionsOf, createServer } = await import('./server.ts');
    const watched = { keeper, readiness, metrics, freeBytes: parts.freeBytes, log };
    const hasMetrics = metricsListen === null && publicUrl === null && isLoopbackHost(options.listen.host);
    const books = { exemptions, use, readers, devices, health };
    const serving = { ...watched, ...books, doorman, limiter, identity, tls, hasMetrics };
    // First, as nothing would close a server that listens when this fails.
    if (options.page !== null) {
      const fleet = { ...parts, refusals: () => metrics.refusals(), startedMs: wallMs() };
      page = await servePage(options.page, { fleet, admins, log, monoMs });
    }
    const app = await createServer({ ...serving, limits: options.limits, stopping: stop });
    if (metricsListen !== null) {
      metricsServer = await serveMetrics(metricsListen, {
        ...watched,
        connections: () => connectionsOf(app),
      });
      const { port: metricsPort } = metricsServer.address() as AddressInfo;
      log.info({ url: urlOf({ ...metricsListen, port: metricsPort }, false) }, 'metrics');
    }
    await listen(app, options.listen);
    const { port } = app.server.address() as AddressInfo;
    const url = urlOf({ host: options.listen.host, port }, tls !== null);
    const retention = formatDuration(retentionMs);
    log.info({ url, maxSegmentBytes, isEnrolmentRequired, retention }, 'listening');
    parts.announce(url);
    if (page !== null) parts.announcePage(page.url);
    const sweeper = new Sweeper({ ...parts, queue: keeper.queue });
    await Promise.all([aborted(stop), tidyHourly(parts, stop), sweeper.run(stop)]);
    log.info({ receiving: admission.active }, 'stopping');
    await drain(app, admission, options.drainMs, parts);
  } finally {
    await page?.close();
    metricsServer?.close();
    metricsServer?.closeAllConnections();
    for (const kept of inOrder(parts).toReversed()) await kept.stop();
  }
  log.info({}, 'stopped');
}

/** Returns the collector's key. */
async function open(parts: ServeParts): Promise<KeyPair> {
  try {
    for (const kept of inOrder(parts)) await kept.start();
    return await parts.openIdentity();
  } catch (cause) {
    if (cause instanceof TelemetryError) throw cause;
    throw new TelemetryError('failed', 'cannot use the data folder', {
      op: 'open data folder',
      hint: '--data DIR, a folder that this user may write to, on a disk with room',
      cause,
    });
  }
}

/** What is started in this order, and stopped in the reverse. */
function inOrder(parts: Stores): readonly Pick<Stores['store'], 'start' | 'stop'>[] {
  const { store, catalog, exemptions, devices, retention, use, readers, health, admins, traffic } = parts;
  return [store, catalog, exemptions, devices, retention, use, readers, health, admins, traffic];
}

/** Nobody's reason stays much longer than was promised. */
const ERASE_EVERY_MS = 3_600_000;

/** Until `stop` is aborted. */
async function tidyHourly(parts: ServeParts, stop: AbortSignal): Promise<void> {
  const { delay, log } = parts;
  while (!stop.aborted) {
    try {
      await tidy(parts);
    } catch (error) {
      log.error({ reason: messageOf(error) }, 'tidying failed; tried again in an hour');
    }
    await delay(ERASE_EVERY_MS, stop).catch(() => undefined);
  }
}

async function tidy(parts: ServeParts): Promise<void> {
  const { store, catalog, exemptions, health, replays, log, wallMs } = parts;
  await replays.tidy(wallMs());
  await health.forgetBefore(dayOf(wallMs() - HEALTH_RETENTION_DAYS * 86_400_000));
  const erased = await exemptions.eraseOldReasons();
  if (erased > 0) log.info({ erased }, 'reasons of exemptions erased, 30 days after their decision');
  // Others may die and not come back, so what they left is looked for all the time.
  if (!store.isShared) return;
  const adopted = await adoptOrphans(store, catalog, wallMs());
  if (adopted > 0) log.warn({ adopted }, 'segments found that another collector had left without a row');
}

async function listen(app: FastifyInstance, { host, port }: ListenAddress): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    throw new TelemetryError('failed', `cannot listen on ${urlOf({ host, port }, false)}`, {
      op: 'listen',
      hint: 'another port with --listen, or port 0 for any free one',
      cause,
    });
  }
}

/**
 * Lets running uploads end. Until then it goes on listening: whoever comes is told when to come again, and a balancer
 * sees on `/readyz` to turn to another.
 */
async function drain(
  app: FastifyInstance,
  admission: Admission,
  drainMs: number,
  { delay, log }: ServeParts,
): Promise<void> {
  const within = async (ms: number, done: Promise<void>): Promise<boolean> => {
    const over = new AbortController();
    const late = delay(ms, over.signal).then(
      () => false,
      () => true,
    );
    const isInTime = await Promise.race([done.then(() => true), late]);
    over.abort();
    return isInTime;
  };
  app.server.closeIdleConnections();
  if (!(await within(drainMs, admission.empty())))
    log.warn({ receiving: admission.active }, 'uploads cut off; their clients will send them again');
  const closed = app.close();
  await within(admission.active > 0 ? 0 : LAST_ANSWERS_MS, closed);
  app.server.closeAllConnections();
  await closed;
  await admission.empty();
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
