import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, link, mkdir, open, opendir, readdir, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FolderLock } from './folder-lock-sqlite.ts';
import { type ObjectStore, type StagedObject, StorageFullError, type StoredObject } from './object-store.ts';
import { parseUuid, type SegmentKey } from './segment-key.ts';

/** Endings of segments' names: age files and all others, as on the device. Stores from before have age files in both. */
const SUFFIXES = { age: '.tlm.age', plain: '.tlm' } as const;

/** What an age file begins with (https://age-encryption.org/v1, "Header"). */
const AGE_HEAD = Buffer.from('age-encryption.org/v1\n');

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
    await syncFolder(this.#dataDir);
  }

  stop(): Promise<void> {
    this.#lock.stop();
    return Promise.resolve();
  }

  async stage(key: SegmentKey, body: AsyncIterable<Uint8Array>): Promise<StagedObject> {
    // A running number is enough: the folder was emptied at the start and is ours alone.
    this.#staged += 1;
    const temporary = join(this.#incoming, `${this.#staged}.part`);
    const file = await open(temporary, 'wx', 0o600).catch(rethrow('create file'));
    const staged = new StagedFile(file, temporary, this.#dataDir, key);
    try {
      for await (const chunk of body) {
        staged.see(chunk);
        await writeAll(file, chunk);
      }
      return staged;
    } catch (error) {
      await staged.discard();
      throw fullOr(error, 'write segment');
    }
  }

  async describe(key: SegmentKey): Promise<StoredObject | null> {
    const path = await findSegment(this.#dataDir, key);
    const found = path === null ? null : await unlessMissing(stat(path));
    return found === null ? null : { sizeBytes: found.size, writtenAtMs: Math.floor(found.mtimeMs) };
  }

  async digest(key: SegmentKey): Promise<string | null> {
    const path = await findSegment(this.#dataDir, key);
    if (path === null) return null;
    const hash = createHash('sha256');
    const read = async (): Promise<string> => {
      for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
      return hash.digest('hex');
    };
    return unlessMissing(read());
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

class StagedFile implements StagedObject {
  readonly #temporary: string;
  readonly #dataDir: string;
  readonly #key: SegmentKey;
  #head = Buffer.alloc(0);
  #file: FileHandle | null;

  constructor(file: FileHandle, temporary: string, dataDir: string, key: SegmentKey) {
    this.#file = file;
    this.#temporary = temporary;
    this.#dataDir = dataDir;
    this.#key = key;
  }

  /** The next bytes of the body; the first of all tell what it is. */
  see(chunk: Uint8Array): void {
    if (this.#head.length < AGE_HEAD.length)
      this.#head = Buffer.concat([this.#head, chunk.subarray(0, AGE_HEAD.length - this.#head.length)]);
  }

  get #target(): string {
    return segmentPath(this.#dataDir, this.#key, this.#head.equals(AGE_HEAD) ? 'age' : 'plain');
  }

  async publish(): Promise<'published' | 'exists'> {
    try {
      await this.#file?.datasync();
      // Under its other name it is there as well. Who keeps segments asks for each of them one at a time.
      const isThere = (await findSegment(this.#dataDir, this.#key)) !== null;
      const outcome = isThere ? 'exists' : await linkNew(this.#temporary, this.#target);
      await this.discard();
      if (outcome === 'published') await this.#syncName();
      return outcome;
    } catch (error) {
      await this.discard();
      throw fullOr(error, 'publish segment');
    }
  }

  async #syncName(): Promise<void> {
    try {
      await syncFolder(dirname(this.#target));
    } catch (error) {
      await rm(this.#target, { force: true });
      throw error;
    }
  }

  async discard(): Promise<void> {
    const file = this.#file;
    if (file === null) return;
    this.#file = null;
    await file.close();
    await unlink(this.#temporary);
  }
}

async function linkNew(from: string, to: string): Promise<'published' | 'exists'> {
  const folder = dirname(to);
  for (let isFolderNew = false; ; isFolderNew = true) {
    try {
      await link(from, to);
      return 'published';
    } catch (error) {
      const code = codeOf(error);
      if (code === 'EEXIST') return 'exists';
      if (code !== 'ENOENT' || isFolderNew) throw error;
      await mkdir(folder, { mode: 0o700 }).catch((reason: unknown) => {
        if (codeOf(reason) !== 'EEXIST') throw reason;
      });
      await syncFolder(dirname(folder));
    }
  }
}

/** write(2) may take less than it was given, as it does when the disk is nearly full. */
async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  let at = 0;
  while (at < chunk.byteLength) at += (await file.write(chunk, at)).bytesWritten;
}

/** A new name is durable only once its folder is: fsync(2), NOTES. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
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

const rethrow =
  (op: string) =>
  (error: unknown): never => {
    throw fullOr(error, op);
  };

function fullOr(error: unknown, op: string): unknown {
  const code = codeOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT' ? new StorageFullError(op, error) : error;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
