import { mkdir, open, opendir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Of } from './content-digest.ts';
import { codeOf } from './file-error.ts';
import { FolderLock } from './folder-lock-sqlite.ts';
import { FolderSyncs } from './folder-syncs.ts';
import type { ObjectStore, StagedObject, StoredObject } from './object-store.ts';
import { parseUuid, type SegmentKey } from './segment-key.ts';
import { StagedFile } from './staged-file.ts';

/** Endings of segments' names: age files and all others, as on the device. Stores from before have age files in both. */
const SUFFIXES = { age: '.tlm.age', plain: '.tlm' } as const;

/** Path of a segment below the data folder; by its ending, since the same segment is there once. */
export function segmentPath(dataDir: string, key: SegmentKey, form: keyof typeof SUFFIXES = 'plain'): string {
  return join(dataDir, 'segments', key.device, `${key.segment}${SUFFIXES[form]}`);
}

/** Where a segment lies, under whichever name; `null` when it is not there. */
export async function findSegment(dataDir: string, key: SegmentKey): Promise<string | null> {
  for (const form of ['age', 'plain'] as const) {
    const path = segmentPath(dataDir, key, form);
    if ((await unlessMissing(stat(path))) !== null) return path;
  }
  return null;
}

/**
 * Segments as files: `segments/<device>/<segment>.tlm`, encrypted ones `.tlm.age`, 0600 in 0700 folders. Bodies arrive in `incoming/`, which is on
 * the same file system so that link(2), which never replaces, can publish them. One process at a time.
 */
export class FileObjectStore implements ObjectStore {
  readonly isShared = false;
  readonly #dataDir: string;
  readonly #segments: string;
  readonly #incoming: string;
  readonly #lock: FolderLock;
  readonly #syncs = new FolderSyncs();
  #staged = 0;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.#segments = join(dataDir, 'segments');
    this.#incoming = join(dataDir, 'incoming');
    this.#lock = new FolderLock(join(dataDir, 'serve.lock'));
  }

  async start(): Promise<void> {
    await mkdir(this.#dataDir, { recursive: true, mode: 0o700 });
    await this.#lock.start();
    await rm(this.#incoming, { recursive: true, force: true });
    await mkdir(this.#incoming, { mode: 0o700 });
    await mkdir(this.#segments, { recursive: true, mode: 0o700 });
    await this.#syncs.sync(this.#dataDir);
  }

  stop(): Promise<void> {
    this.#syncs.stop();
    this.#lock.stop();
    return Promise.resolve();
  }

  async stage(key: SegmentKey, body: AsyncIterable<Uint8Array>): Promise<StagedObject> {
    // A running number is enough: the folder was emptied at the start and is ours alone.
    this.#staged += 1;
    const temporary = join(this.#incoming, `${this.#staged}.part`);
    const pathAs = (form: keyof typeof SUFFIXES): string => segmentPath(this.#dataDir, key, form);
    const staged = new StagedFile(temporary, pathAs, this.#syncs);
    await staged.take(body);
    return staged;
  }

  async describe(key: SegmentKey): Promise<StoredObject | null> {
    const path = await findSegment(this.#dataDir, key);
    const found = path === null ? null : await unlessMissing(stat(path));
    return found === null ? null : { sizeBytes: found.size, writtenAtMs: Math.floor(found.mtimeMs) };
  }

  async read(key: SegmentKey): Promise<AsyncIterable<Uint8Array> | null> {
    const path = await findSegment(this.#dataDir, key);
    const file = path === null ? null : await unlessMissing(open(path, 'r'));
    return file === null ? null : (file.createReadStream() as AsyncIterable<Uint8Array>);
  }

  async digest(key: SegmentKey): Promise<string | null> {
    const bytes = await this.read(key);
    return bytes === null ? null : sha256Of(bytes);
  }

  async remove(key: SegmentKey): Promise<void> {
    for (const form of ['age', 'plain'] as const)
      await rm(segmentPath(this.#dataDir, key, form), { force: true });
  }

  async *list(): AsyncGenerator<SegmentKey, void, undefined> {
    for await (const folder of await opendir(this.#segments)) {
      const device = parseUuid(folder.name);
      if (device !== folder.name || !folder.isDirectory()) continue;
      for (const name of await readdir(join(this.#segments, device))) {
        const suffix = Object.values(SUFFIXES).find((ending) => name.endsWith(ending)) ?? '';
        const segment = suffix === '' ? '' : name.slice(0, -suffix.length);
        if (parseUuid(segment) === segment) yield { device, segment };
      }
    }
  }
}

async function unlessMissing<T>(promise: Promise<T>): Promise<T | null> {
  try {
    return await promise;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}
