import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Log } from '../core/clock.ts';
import { messageOf, TelemetryError } from '../core/errors.ts';
import type { KeyPair } from '../signing/ed25519.ts';
import type { AdminBook } from './admin-book.ts';
import { Admission } from './admission.ts';
import type { Catalog } from './catalog.ts';
import type { DeviceBook } from './device-book.ts';
import { dayOf } from './device-health-route.ts';
import { Doorman } from './doorman.ts';
import type { ExemptionBook } from './exemption-book.ts';
import { HEALTH_RETENTION_DAYS, type HealthBook } from './health-book.ts';
import { KeyedQueue } from './keyed-queue.ts';
import { type ListenAddress, urlOf } from './listen-address.ts';
import type { ObjectStore } from './object-store.ts';
import { type PageAddress, type RunningPage, servePage } from './page/serve-page.ts';
import { adoptOrphans } from './reconcile.ts';
import { ReplayGuard } from './replay-guard.ts';
import { createServer } from './server.ts';
import type { ServerLimits } from './server-limits.ts';
import type { TlsFiles } from './tls-server.ts';
import type { Traffic } from './traffic.ts';

/** What `serve` was asked to do. */
export interface ServeOptions {
  readonly listen: ListenAddress;
  readonly maxSegmentBytes: number;
  /** Bodies received at once; the rest get 429. */
  readonly maxBodies: number;
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
export interface ServeParts {
  readonly store: ObjectStore;
  readonly catalog: Catalog;
  readonly exemptions: ExemptionBook;
  readonly devices: DeviceBook;
  readonly health: HealthBook;
  readonly admins: AdminBook;
  readonly traffic: Traffic;
  /** The collector's key, once the data folder is there. */
  readonly openIdentity: () => Promise<KeyPair>;
  readonly log: Log;
  readonly wallMs: () => number;
  readonly monoMs: () => number;
  /** Resolves after so many milliseconds, rejects when aborted. */
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Called with the address once requests are taken. */
  readonly announce: (url: string) => void;
  /** The same of the page. */
  readonly announcePage: (url: string) => void;
}

/**
 * A segment rolls at 8 MiB of journal. Sealed it is a fraction of that, but a torn one is sent as it is, encrypted: twice
 * the size leaves room.
 */
export const MAX_SEGMENT_BYTES = 16 * 1024 * 1024;

/** A body in flight holds some 128 KiB of buffers, so 64 hold 8 MiB; more at once gains nothing on one disk. */
export const MAX_BODIES = 64;

/** How long running uploads may take to end once asked to stop. */
const DRAIN_MS = 5000;

/** Serves until `stop` is aborted, then lets running uploads end. */
export async function serve(options: ServeOptions, parts: ServeParts, stop: AbortSignal): Promise<void> {
  const { store, catalog, exemptions, health, admins, log } = parts;
  const refusals = new Map<number, number>();
  let page: RunningPage | null = null;
  const admission = new Admission(options.maxBodies);
  const keeper = { ...parts, admission, queue: new KeyedQueue(), maxSegmentBytes: options.maxSegmentBytes };
  try {
    const adopted = await open(parts);
    const identity = await parts.openIdentity();
    if (adopted > 0) log.warn({ adopted }, 'segments found that a crash had left without a row');

    const { tls, limits, publicUrl, isEnrolmentRequired } = options;
    const replays = new ReplayGuard();
    const { devices, wallMs } = parts;
    const doorman = new Doorman({ devices, replays, wallMs, publicUrl, isEnrolmentRequired });
    const serving = {
      keeper,
      exemptions,
      devices,
      health,
      doorman,
      identity,
      tls,
      limits,
      refusals,
      log,
      stopping: stop,
    };
    // First, as nothing would close a server that listens when this fails.
    if (options.page !== null) {
      const fleet = { ...parts, refusals, startedMs: wallMs() };
      page = await servePage(options.page, { fleet, admins, log, monoMs: parts.monoMs });
    }
    const app = await createServer(serving);
    await listen(app, options.listen);
    const { port } = app.server.address() as AddressInfo;
    const url = urlOf({ host: options.listen.host, port }, tls !== null);
    log.info({ url, maxSegmentBytes: options.maxSegmentBytes, isEnrolmentRequired }, 'listening');
    parts.announce(url);
    if (page !== null) parts.announcePage(page.url);
    await Promise.all([aborted(stop), tidyHourly(parts, replays, stop)]);
    log.info({ receiving: admission.active }, 'stopping');
    await drain(app, admission, parts);
  } finally {
    await page?.close();
    await exemptions.stop();
    await parts.devices.stop();
    await health.stop();
    await admins.stop();
    await catalog.stop();
    await store.stop();
  }
  log.info({}, 'stopped');
}

/** Returns how many orphans were adopted. */
async function open({ store, catalog, exemptions, devices, health, admins }: ServeParts): Promise<number> {
  try {
    await store.start();
    await catalog.start();
    await exemptions.start();
    await devices.start();
    await health.start();
    await admins.start();
    return await adoptOrphans(store, catalog);
  } catch (cause) {
    if (cause instanceof TelemetryError) throw cause;
    throw new TelemetryError('failed', 'cannot use the data folder', {
      op: 'open data folder',
      hint: '--data DIR, a folder that this user may write to, on a disk with room',
      cause,
    });
  }
}

/** Nobody's reason stays much longer than was promised. */
const ERASE_EVERY_MS = 3_600_000;

/** Until `stop` is aborted. */
async function tidyHourly(
  { exemptions, health, delay, log, wallMs }: ServeParts,
  replays: ReplayGuard,
  stop: AbortSignal,
): Promise<void> {
  while (!stop.aborted) {
    replays.tidy(wallMs());
    try {
      const erased = await exemptions.eraseOldReasons();
      if (erased > 0) log.info({ erased }, 'reasons of exemptions erased, 30 days after their decision');
    } catch (error) {
      log.error({ reason: messageOf(error) }, 'old reasons could not be erased; tried again in an hour');
    }
    try {
      await health.forgetBefore(dayOf(wallMs() - HEALTH_RETENTION_DAYS * 86_400_000));
    } catch (error) {
      log.error(
        { reason: messageOf(error) },
        'devices that are gone could not be forgotten; tried again in an hour',
      );
    }
    await delay(ERASE_EVERY_MS, stop).catch(() => undefined);
  }
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

async function drain(app: FastifyInstance, admission: Admission, { delay, log }: ServeParts): Promise<void> {
  const isDone = new AbortController();
  const closed = app.close().finally(() => isDone.abort());
  const isInTime = await delay(DRAIN_MS, isDone.signal).then(
    () => false,
    () => true,
  );
  if (!isInTime)
    log.warn({ receiving: admission.active }, 'uploads cut off; their clients will send them again');
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
