import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatasetJob, DayTable } from '../core/dataset-job.ts';
import { exportRows } from '../export/export-columns.ts';
import { parquetFile } from '../export/export-parquet.ts';
import { badSegment } from '../segment/bad-segment.ts';
import { type OpenedSegment, openSegment } from '../segment/open-segment.ts';
import { diskError } from '../spool/disk-error.ts';
import { writeAll } from '../spool/durable-file.ts';

const DAY_MS = 86_400_000;

/** A segment is minutes long: one that names more days than this is no recording, and each day is a file. */
const MAX_DAYS = 31;

/** Four digits of a year, as a day's name has them. */
const LAST_MS = Date.UTC(9999, 11, 31);

/** Writes a segment's events into one Parquet file a UTC day, each durable; throws what `openSegment` throws. */
export async function writeTables(job: DatasetJob, identities: readonly string[]): Promise<DayTable[]> {
  const bytes = readFileSync(job.path);
  if (createHash('sha256').update(bytes).digest('hex') !== job.sha256)
    throw badSegment('it is not what was stored: its digest is another one');
  const segment = await openSegment(bytes, { identities });
  const { segmentId, device } = segment.header;
  if (segmentId !== job.segment || device !== job.device)
    throw badSegment('it says that it is another segment than the one it is stored as');
  return daysOf(segment).map((day) => writeTable(segment, day, job));
}

/** Days since the epoch, in order. */
function daysOf(segment: OpenedSegment): number[] {
  const days = new Set<number>();
  for (const t of segment.wallTimes()) {
    const day = Math.floor(t / DAY_MS);
    if (!(t >= 0 && t < LAST_MS)) throw badSegment('its times are no times');
    if (days.add(day).size > MAX_DAYS) throw badSegment('its events are of too many days');
  }
  return [...days].sort((a, b) => a - b);
}

function writeTable(segment: OpenedSegment, day: number, { into, segment: id }: DatasetJob): DayTable {
  const name = `${new Date(day * DAY_MS).toISOString().slice(0, 10)}.${id}.parquet`;
  const path = join(into, name);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  let events = 0;
  try {
    const fd = openSync(path, 'wx', 0o600);
    try {
      const file = parquetFile((bytes) => {
        hash.update(bytes);
        sizeBytes += bytes.length;
        writeAll(fd, bytes);
      });
      for (const row of exportRows(segment)) {
        if (Math.floor(Number(row[0]) / DAY_MS) !== day) continue;
        file.addRow(row);
        events++;
      }
      file.addSegment(segment, `${id}.tlm`);
      file.end();
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw diskError('write', path, cause);
  }
  return { day: name.slice(0, 10), name, events, sizeBytes, sha256: hash.digest('hex') };
}
