import { resolve } from 'node:path';
import type { Command } from 'commander';
import { formatDuration, parseDuration } from '../core/duration.ts';
import { TelemetryError } from '../core/errors.ts';
import { type ListenAddress, parseListenAddress } from './listen-address.ts';
import { REQUEST_LIMITS, type RequestLimits, requestLimits } from './request-limiter.ts';

/** The options of `serve` that say how much it takes and how it ends, as they were typed. */
export interface LimitFlags {
  readonly retention: string;
  readonly maxSegmentBytes: string;
  readonly maxUploads: string;
  readonly deviceRate: string;
  readonly totalRate: string;
  readonly drain: string;
  readonly metricsListen?: string;
  readonly erasureLog?: string;
}

/** How much it takes and how it ends. */
export interface Limits {
  /** How long anything is kept at most. */
  readonly retentionMs: number;
  readonly maxSegmentBytes: number;
  readonly maxBodies: number;
  readonly requests: RequestLimits;
  readonly drainMs: number;
  readonly metricsListen: ListenAddress | null;
  /** A file for what people have erased, on another disk than the data. */
  readonly erasureLog: string | null;
}

/**
 * A segment rolls at 8 MiB of journal. Sealed it is a fraction of that, but a torn one is sent as it is, encrypted: twice
 * the size leaves room.
 */
const MAX_SEGMENT_BYTES = 16 * 1024 * 1024;

/**
 * A year, as long as agreements of this kind commonly run. Devices say what their person was told, and what was told to go
 * sooner does.
 */
const RETENTION = '365d';

/**
 * A client sends 100 KB in 0.4 s, at the 256 KB/s it is held to, so 256 at once are 640 a second: about what one disk
 * takes. Each was measured to hold 0.7 MB (`npm run bench collector -- flood`).
 */
export const MAX_UPLOADS = 256;

/** Within this 5 MB come through at a client's 256 KB/s; who watches services waits longer (systemd 90 s, Kubernetes 30 s). */
const DRAIN_MS = 20_000;

/** Adds them to `serve`. */
export function defineLimits(serve: Command): Command {
  return serve
    .option('--retention <duration>', 'remove segments so long after they came, or sooner', RETENTION)
    .option('--max-segment-bytes <n>', 'refuse larger segments', String(MAX_SEGMENT_BYTES))
    .option('--max-uploads <n>', 'receive so many segments at once', String(MAX_UPLOADS))
    .option('--device-rate <n>', 'requests a second of one device', String(REQUEST_LIMITS.perDevice))
    .option('--total-rate <n>', 'requests a second in all', String(REQUEST_LIMITS.inAll))
    .option('--drain <duration>', 'how long uploads may take to end', formatDuration(DRAIN_MS))
    .option('--metrics-listen <address>', 'serve /metrics there, and only there')
    .option('--erasure-log <file>', 'note there what people erase; see restore');
}

/** Reads them. */
export function readLimits(flags: LimitFlags): Limits {
  const drainMs = parseDuration(flags.drain);
  if (drainMs === undefined)
    throw new TelemetryError('usage', `"${flags.drain}" is not a duration`, {
      op: 'read --drain',
      hint: '--drain 20s',
    });
  const { metricsListen, erasureLog } = flags;
  return {
    retentionMs: retention(flags.retention),
    maxSegmentBytes: count('--max-segment-bytes', flags.maxSegmentBytes, MAX_SEGMENT_BYTES),
    maxBodies: count('--max-uploads', flags.maxUploads, MAX_UPLOADS),
    requests: requestLimits(
      count('--device-rate', flags.deviceRate, REQUEST_LIMITS.perDevice),
      count('--total-rate', flags.totalRate, REQUEST_LIMITS.inAll),
    ),
    drainMs,
    metricsListen: metricsListen === undefined ? null : parseListenAddress(metricsListen, '--metrics-listen'),
    erasureLog: erasureLog === undefined ? null : resolve(erasureLog),
  };
}

function retention(text: string): number {
  const retentionMs = parseDuration(text);
  if (retentionMs !== undefined && retentionMs > 0) return retentionMs;
  throw new TelemetryError('usage', `"${text}" is not how long something is kept`, {
    op: 'read --retention',
    hint: `--retention ${RETENTION}, or 90d, or 36h`,
  });
}

function count(option: string, text: string, usual: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0) return value;
  throw new TelemetryError('usage', `${option} needs a whole number above 0, not "${text}"`, {
    op: `read ${option}`,
    hint: `${option} ${usual}`,
  });
}
