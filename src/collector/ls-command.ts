import { TelemetryError } from '../core/errors.ts';
import type { Catalog, SegmentRecord } from './catalog.ts';
import { writeDocument } from './json-document.ts';
import { parseUuid, type SegmentKey } from './segment-key.ts';

/** What `ls` was asked to show. */
export interface LsOptions {
  /** Where the object of a segment is: a path, or an address. */
  readonly locate: (key: SegmentKey) => Promise<string>;
  readonly json: boolean;
  readonly device?: string | undefined;
}

/** Lists what is kept. Works beside a running server and without one. */
export async function ls(options: LsOptions, catalog: Catalog, write: (text: string) => void): Promise<void> {
  const device = options.device === undefined ? undefined : parseUuid(options.device);
  if (options.device !== undefined && device === undefined) {
    throw new TelemetryError('usage', `"${options.device}" is not a device`, {
      op: 'read --device',
      hint: 'telemetry-collector ls, which shows the devices there are',
    });
  }
  await open(catalog);
  try {
    const rows = catalog.list(device === undefined ? {} : { device });
    if (options.json) await writeDocument({ schema: 1 }, 'segments', objectsOf(rows, options.locate), write);
    else await writeTable(rows, write);
  } finally {
    await catalog.stop();
  }
}

async function open(catalog: Catalog): Promise<void> {
  try {
    await catalog.start();
  } catch (cause) {
    if (cause instanceof TelemetryError) throw cause;
    throw new TelemetryError('failed', 'cannot read the catalogue', {
      op: 'open catalogue',
      hint: 'run ls as the user that runs the collector',
      cause,
    });
  }
}

async function* objectsOf(
  rows: AsyncIterable<SegmentRecord>,
  locate: LsOptions['locate'],
): AsyncGenerator<object> {
  for await (const row of rows) {
    const { device, segment, sizeBytes, sha256, ledgerHead = null } = row;
    const receivedAt = new Date(row.receivedAtMs).toISOString();
    const path = await locate(row);
    yield { device, segment, sizeBytes, sha256, receivedAt, path, ledgerHead };
  }
}

/** 2 + 36 + 2 + 16 + 2 + 9 + 2 + 8 = 77 columns. */
async function writeTable(rows: AsyncIterable<SegmentRecord>, write: (text: string) => void): Promise<void> {
  let device = '';
  let devices = 0;
  let segments = 0;
  let totalBytes = 0;
  for await (const row of rows) {
    if (row.device !== device) {
      device = row.device;
      write(`${devices === 0 ? '' : '\n'}device ${device}\n`);
      write(`  ${'segment'.padEnd(36)}  ${'received (UTC)'.padEnd(16)}  ${'size'.padStart(9)}  sha-256\n`);
      devices += 1;
    }
    const received = new Date(row.receivedAtMs).toISOString().slice(0, 16).replace('T', ' ');
    const size = formatBytes(row.sizeBytes).padStart(9);
    write(`  ${row.segment}  ${received}  ${size}  ${row.sha256.slice(0, 8)}\n`);
    segments += 1;
    totalBytes += row.sizeBytes;
  }
  write(
    segments === 0
      ? 'no segments\n'
      : `\n${count(segments, 'segment')} of ${count(devices, 'device')}, ${formatBytes(totalBytes)}\n`,
  );
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

function formatBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'] as const;
  let value = bytes;
  let at = 0;
  while (value >= 999.5 && at < units.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${at === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${units[at] ?? ''}`;
}
