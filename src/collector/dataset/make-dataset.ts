import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { TelemetryError } from '../../core/errors.ts';
import type { IndexLine, IndexSegment } from '../index-lines.ts';
import type { DatasetFolder } from './dataset-folder.ts';
import type { DatasetSource } from './dataset-source.ts';
import type { DatasetWriter } from './dataset-writer-node.ts';

/** What became of a run. */
export interface DatasetSummary {
  /** Segments that may be used now. */
  readonly usable: number;
  readonly added: number;
  /** Were in the dataset already. */
  readonly kept: number;
  /** Were taken out: erased, withdrawn or expired since. */
  readonly removed: number;
  /** Went away between the index and the reading. */
  readonly gone: number;
  /** Could not be made into tables; each was told. */
  readonly skipped: number;
  readonly events: number;
}

/** What a run tells of while it goes on. */
export interface DatasetEvents {
  progress(done: number, of: number): void;
  skipped(segment: IndexSegment, why: string): void;
}

/** How a dataset is made. */
export interface DatasetParts {
  readonly source: DatasetSource;
  readonly folder: DatasetFolder;
  readonly writer: DatasetWriter;
  readonly events: DatasetEvents;
  /** Ends the run after the segment at hand; the next one goes on there. */
  readonly stop: AbortSignal;
}

/**
 * Brings a dataset to what the index allows: first everything that may not be used any more goes, then what is missing
 * comes. Memory holds one device's names; a run that was killed is gone on with by the next.
 */
export async function makeDataset(parts: DatasetParts): Promise<DatasetSummary> {
  const { folder, source, stop } = parts;
  const file = join(folder.staging, 'index.jsonl');
  const usable = await keepIndex(source.index(), file);
  const tally = {
    usable,
    added: 0,
    kept: 0,
    removed: await removeUnlisted(file, folder),
    gone: 0,
    skipped: 0,
    events: 0,
  };
  for await (const { device, segments } of devicesIn(file)) {
    const entries = await folder.entries(device);
    for (const listed of segments) {
      if (stop.aborted)
        throw new TelemetryError('interrupted', 'Interrupted; the next run goes on from here.');
      const entry = entries.get(listed.segment);
      if (entry?.sha256 === listed.sha256 && (await folder.isWhole(entry))) tally.kept += 1;
      else await addOne(listed, parts, tally);
      const { kept, added, gone, skipped } = tally;
      parts.events.progress(kept + added + gone + skipped, usable);
    }
  }
  return tally;
}

/** Writes the index down, so that both passes see the same and no connection waits; one that was cut short is an error. */
async function keepIndex(lines: AsyncIterable<IndexLine>, path: string): Promise<number> {
  const file = await open(path, 'w', 0o600);
  let segments: number | null = null;
  try {
    for await (const line of lines) {
      if (line.type === 'end') segments = line.segments;
      await file.appendFile(`${JSON.stringify(line)}\n`);
    }
  } finally {
    await file.close();
  }
  if (segments !== null) return segments;
  throw new TelemetryError('failed', 'the index was cut short; nothing was changed', {
    op: 'read the index',
    hint: 'run it again',
  });
}

async function* devicesIn(
  path: string,
): AsyncGenerator<{ device: string; segments: readonly IndexSegment[] }> {
  let segments: IndexSegment[] = [];
  for await (const text of createInterface({ input: createReadStream(path) })) {
    const line = JSON.parse(text) as IndexLine;
    if (line.type === 'segment') segments.push(line);
    if (line.type !== 'device') continue;
    yield { device: line.device, segments };
    segments = [];
  }
}

/** Before anything is added: what was taken back is not to wait for a long run. */
async function removeUnlisted(index: string, folder: DatasetFolder): Promise<number> {
  const unseen = new Set(await folder.devices());
  let removed = 0;
  const remove = async (device: string, gone: ReadonlySet<string>): Promise<void> => {
    if (gone.size > 0) await folder.remove(device, gone);
    removed += gone.size;
  };
  for await (const { device, segments } of devicesIn(index)) {
    if (!unseen.delete(device)) continue;
    const listed = new Map(segments.map(({ segment, sha256 }) => [segment, sha256]));
    const entries = [...(await folder.entries(device)).values()];
    const gone = entries.filter(({ segment, sha256 }) => listed.get(segment) !== sha256);
    await remove(device, new Set(gone.map(({ segment }) => segment)));
  }
  for (const device of unseen) await remove(device, new Set((await folder.entries(device)).keys()));
  return removed;
}

async function addOne(
  listed: IndexSegment,
  { source, folder, writer, events }: DatasetParts,
  tally: { added: number; gone: number; skipped: number; events: number },
): Promise<void> {
  const { device, segment, sha256, sizeBytes } = listed;
  const bytes = await source.read({ device, segment });
  if (bytes === null) {
    tally.gone += 1;
    return;
  }
  const path = join(folder.staging, 'segment');
  const arrived = await keepBytes(bytes, path, sizeBytes);
  const answer =
    arrived === sha256
      ? await writer.write({ path, device, segment, sha256, into: folder.staging })
      : ({ kind: 'bad', why: 'what arrived is not what is listed' } as const);
  if (answer.kind !== 'written') {
    tally.skipped += 1;
    events.skipped(listed, answer.why);
    return;
  }
  await folder.add(device, segment, sha256, answer.tables);
  tally.added += 1;
  tally.events += answer.tables.reduce((sum, table) => sum + table.events, 0);
}

/** The digest of what arrived; more than was said is not taken. */
async function keepBytes(bytes: AsyncIterable<Uint8Array>, path: string, sizeBytes: number): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path, 'w', 0o600);
  let arrived = 0;
  try {
    for await (const piece of bytes) {
      arrived += piece.length;
      if (arrived > sizeBytes) return '';
      hash.update(piece);
      await file.appendFile(piece);
    }
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}
