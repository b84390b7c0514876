import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, link, mkdir, open, opendir, readdir, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FolderLock } from './folder-lock-sqlite.ts';
import { type ObjectStore, type StagedObject, StorageFullError, type StoredObject } from './object-store.ts';
import { parseUuid, type SegmentKey } from './segment-key.ts';

const SUFFIX = '.tlm';

/** Path of a segment below the data folder. */
export function segmentPath(dataDir: string, key: SegmentKey): string {
  return join(dataDir, 'segments', key.device, `${key.segment}${SUFFIX}`);
}

/**
 * Segments as files: `segments/<device>/<segment>.tlm`, 0600 in 0700 folders. Bodies arrive in `incoming/`, which is on
 * the same file system so that link(2), which never replaces, can publish them. One process at a time.
 */
export class FileObjectStore implements ObjectStore {
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
    const staged = new StagedFile(file, temporary, segmentPath(this.#dataDir, key));
    try {
      for await (const chunk of body) await writeAll(file, chunk);
      return staged;
    } catch (error) {
      await staged.discard();
      throw fullOr(error, 'write segment');
    }
  }

  async describe(key: SegmentKey): Promise<StoredObject | null> {
    const found = await unlessMissing(stat(segmentPath(this.#dataDir, key)));
    return found === null ? null : { sizeBytes: found.size, writtenAtMs: Math.floor(found.mtimeMs) };
  }

  async digest(key: SegmentKey): Promise<string | null> {
    const hash = createHash('sha256');
    const read = async (): Promise<string> => {
      for await (const chunk of createReadStream(segmentPath(this.#dataDir, key)))
        hash.update(chunk as Buffer);
      return hash.digest('hex');
    };
    return unlessMissing(read());
  }

  async remove(key: SegmentKey): Promise<void> {
    await rm(segmentPath(this.#dataDir, key), { force: true });
  }

  async *list(): AsyncGenerator<SegmentKey, void, undefined> {
    for await (const folder of await opendir(this.#segments)) {
      const device = parseUuid(folder.name);
      if (device !== folder.name || !folder.isDirectory()) continue;
      for (const name of await readdir(join(this.#segments, device))) {
        const segment = name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : '';
        if (parseUuid(segment) === segment) yield { device, segment };
      }
    }
  }
}

class StagedFile implements StagedObject {
  readonly #temporary: string;
  readonly #target: string;
  #file: FileHandle | null;

  constructor(file: FileHandle, temporary: string, target: string) {
    this.#file = file;
    this.#temporary = temporary;
    this.#target = target;
  }

  async publish(): Promise<'published' | 'exists'> {
    try {
      await this.#file?.datasync();
      const outcome = await linkNew(this.#temporary, this.#target);
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
