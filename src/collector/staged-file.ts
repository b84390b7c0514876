import { close, fdatasync, open, statSync, write } from 'node:fs';
import { link, mkdir, rm, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { codeOf, fullOr } from './file-error.ts';
import type { FolderSyncs } from './folder-syncs.ts';
import type { StagedObject } from './object-store.ts';

/** What an age file begins with (https://age-encryption.org/v1, "Header"). */
const AGE_HEAD = Buffer.from('age-encryption.org/v1\n');

// Numbers instead of file handles: half of what keeping a small segment costs is the way to a file operation and back.
const fileOps = {
  open: promisify(open),
  write: promisify(write),
  datasync: promisify(fdatasync),
  close: promisify(close),
};

/** A segment's file while it arrives, and until it has its name. */
export class StagedFile implements StagedObject {
  readonly #temporary: string;
  readonly #pathAs: (form: 'age' | 'plain') => string;
  readonly #syncs: FolderSyncs;
  #head = Buffer.alloc(0);
  #fd: number | null = null;

  /** `pathAs`: where it goes, by what it turns out to be. */
  constructor(temporary: string, pathAs: (form: 'age' | 'plain') => string, syncs: FolderSyncs) {
    this.#temporary = temporary;
    this.#pathAs = pathAs;
    this.#syncs = syncs;
  }

  /** Writes the whole body, or nothing stays and what went wrong comes out. */
  async take(body: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      this.#fd = await fileOps.open(this.#temporary, 'wx', 0o600);
      for await (const piece of body) {
        this.#see(piece);
        await writeAll(this.#fd, piece);
      }
    } catch (error) {
      await this.discard();
      throw fullOr(error, 'write segment');
    }
  }

  async publish(): Promise<'published' | 'exists'> {
    const isAge = this.#head.equals(AGE_HEAD);
    const target = this.#pathAs(isAge ? 'age' : 'plain');
    try {
      if (this.#fd !== null) await fileOps.datasync(this.#fd);
      // Under its other name it is there as well. Who keeps segments asks for each of them one at a time.
      const other = statSync(this.#pathAs(isAge ? 'plain' : 'age'), { throwIfNoEntry: false });
      const outcome = other === undefined ? await linkNew(this.#temporary, target, this.#syncs) : 'exists';
      if (outcome === 'published') await Promise.all([this.discard(), syncName(target, this.#syncs)]);
      else await this.discard();
      return outcome;
    } catch (error) {
      await this.discard();
      throw fullOr(error, 'publish segment');
    }
  }

  async discard(): Promise<void> {
    const fd = this.#fd;
    if (fd === null) return;
    this.#fd = null;
    await Promise.all([fileOps.close(fd), unlink(this.#temporary)]);
  }

  /** The first bytes tell what it is. */
  #see(piece: Uint8Array): void {
    if (this.#head.length < AGE_HEAD.length)
      this.#head = Buffer.concat([this.#head, piece.subarray(0, AGE_HEAD.length - this.#head.length)]);
  }
}

async function linkNew(from: string, to: string, syncs: FolderSyncs): Promise<'published' | 'exists'> {
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
      syncs.forget(folder);
      await syncs.sync(dirname(folder));
    }
  }
}

async function syncName(target: string, syncs: FolderSyncs): Promise<void> {
  try {
    await syncs.sync(dirname(target));
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  }
}

/** write(2) may take less than it was given, as it does when the disk is nearly full. */
async function writeAll(fd: number, piece: Uint8Array): Promise<void> {
  let at = 0;
  while (at < piece.byteLength) at += (await fileOps.write(fd, piece, at)).bytesWritten;
}
