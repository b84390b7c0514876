import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DayTable } from '../../core/dataset-job.ts';
import { TelemetryError } from '../../core/errors.ts';
import { FolderLock } from '../folder-lock-sqlite.ts';
import { FolderSyncs } from '../folder-syncs.ts';
import { parseUuid } from '../segment-key.ts';

/** Says what the folder is. */
const MARK = '_dataset.json';
const MANIFESTS = '_manifest';
/** Emptied at each start: what lies there is half done. */
const STAGING = '_staging';

/** A segment in the dataset: what it was made from, and its tables by their paths in the folder. */
export interface DatasetEntry {
  readonly segment: string;
  /** Hex SHA-256 of the segment's file. */
  readonly sha256: string;
  readonly files: readonly {
    readonly path: string;
    readonly sizeBytes: number;
    readonly sha256: string;
    readonly events: number;
  }[];
}

/**
 * Tables in `day=2026-11-26/SEGMENT.parquet`, one a segment and day, so that a segment can be taken out again, and which
 * there are in `_manifest/DEVICE.jsonl`. Readers of such folders pass over names that begin with `_`. A segment is in the
 * manifest before its tables are in place: killed at any moment, the next run finds every table that is there by it.
 */
export class DatasetFolder {
  readonly #dir: string;
  readonly #lock: FolderLock;
  readonly #syncs = new FolderSyncs();

  constructor(dir: string) {
    this.#dir = dir;
    this.#lock = new FolderLock(join(dir, '_lock'), {
      message: `another run is writing ${dir}`,
      hint: 'wait until that one has ended',
    });
  }

  get staging(): string {
    return join(this.#dir, STAGING);
  }

  /** Makes the folder or takes up one that was made before; refuses any other that is not empty. */
  async start(): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const isOurs = existsSync(join(this.#dir, MARK));
    if (!isOurs && (await readdir(this.#dir)).some((name) => !name.startsWith('_lock')))
      throw new TelemetryError('usage', `${this.#dir} is not empty and is no dataset`, {
        hint: '--out with a new folder, or with one that this command made',
      });
    await this.#lock.start();
    for (const name of [MANIFESTS, STAGING]) {
      if (name === STAGING) await rm(join(this.#dir, name), { recursive: true, force: true });
      await mkdir(join(this.#dir, name), { recursive: true, mode: 0o700 });
    }
    if (!isOurs)
      await this.#writeWhole(
        join(this.#dir, MARK),
        `${JSON.stringify({ schema: 1, kind: 'telemetryd dataset' })}\n`,
      );
  }

  async stop(): Promise<void> {
    this.#syncs.stop();
    await rm(this.staging, { recursive: true, force: true });
    this.#lock.stop();
  }

  /** Every device that has something here. */
  async devices(): Promise<string[]> {
    const names = await readdir(join(this.#dir, MANIFESTS));
    return names
      .flatMap((name) => (name.endsWith('.jsonl') ? (parseUuid(name.slice(0, -6)) ?? []) : []))
      .sort();
  }

  /** What is here of a device, the last entry of a segment counting. */
  async entries(device: string): Promise<Map<string, DatasetEntry>> {
    const entries = new Map<string, DatasetEntry>();
    for (const line of (await textOf(this.#manifest(device))).split('\n')) {
      const entry = parseEntry(line);
      if (entry !== null) entries.set(entry.segment, entry);
    }
    return entries;
  }

  /** Whether all tables of an entry are in place, by their sizes. */
  async isWhole({ files }: DatasetEntry): Promise<boolean> {
    for (const { path, sizeBytes } of files) {
      const found = await stat(join(this.#dir, path)).catch(() => null);
      if (found?.size !== sizeBytes) return false;
    }
    return true;
  }

  /** Moves the tables of a segment from the staging folder to their places. */
  async add(
    device: string,
    segment: string,
    sha256: string,
    tables: readonly DayTable[],
  ): Promise<DatasetEntry> {
    const entry: DatasetEntry = {
      segment,
      sha256,
      files: tables.map(({ day, sizeBytes, sha256: digest, events }) => {
        return { path: `day=${day}/${segment}.parquet`, sizeBytes, sha256: digest, events };
      }),
    };
    await this.#note(device, entry);
    for (const [at, { name }] of tables.entries()) {
      const place = join(this.#dir, entry.files[at]?.path ?? name);
      await mkdir(dirname(place), { recursive: true, mode: 0o700 });
      await rename(join(this.staging, name), place);
      await this.#syncs.sync(dirname(place));
    }
    return entry;
  }

  /** Takes segments out: their tables first, then the manifest forgets them. */
  async remove(device: string, segments: ReadonlySet<string>): Promise<void> {
    const entries = await this.entries(device);
    const days = new Set<string>();
    for (const segment of segments) {
      for (const { path } of entries.get(segment)?.files ?? []) {
        await rm(join(this.#dir, path), { force: true });
        days.add(dirname(join(this.#dir, path)));
      }
      entries.delete(segment);
    }
    for (const day of days) await this.#syncOrDrop(day);
    const text = [...entries.values()].map((entry) => `${JSON.stringify(entry)}\n`).join('');
    if (text === '') await rm(this.#manifest(device), { force: true });
    else await this.#writeWhole(this.#manifest(device), text);
  }

  async #note(device: string, entry: DatasetEntry): Promise<void> {
    const file = await open(this.#manifest(device), 'a', 0o600);
    try {
      // A line of its own, also after one that a power cut left torn.
      await file.appendFile(`\n${JSON.stringify(entry)}\n`);
      await file.datasync();
    } finally {
      await file.close();
    }
    await this.#syncs.sync(join(this.#dir, MANIFESTS));
  }

  /** A day without tables is no folder: it would be taken for a day without events. */
  async #syncOrDrop(day: string): Promise<void> {
    if (!existsSync(day)) return;
    if ((await readdir(day)).length > 0) {
      await this.#syncs.sync(day);
      return;
    }
    this.#syncs.forget(day);
    await rm(day, { recursive: true, force: true });
  }

  async #writeWhole(path: string, text: string): Promise<void> {
    const file = await open(`${path}.part`, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.part`, path);
    await this.#syncs.sync(dirname(path));
  }

  #manifest(device: string): string {
    return join(this.#dir, MANIFESTS, `${device}.jsonl`);
  }
}

/** `null` for an empty line and for one that is torn: what it was of is not in place then. */
function parseEntry(line: string): DatasetEntry | null {
  try {
    return JSON.parse(line) as DatasetEntry;
  } catch {
    return null;
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}
