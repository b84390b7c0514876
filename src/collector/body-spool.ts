import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fullOr } from './file-error.ts';

/**
 * Most segments are smaller. What is larger goes to a file, so that as many bodies as come at once (64) hold 16 MiB of
 * memory at most.
 */
const MEMORY_BYTES = 256 * 1024;

/**
 * A body that has arrived whole, to be read again: the next place asks for its length and digest before the first byte. What is
 * not in memory lies in a file without a name, which is gone with the process, however that ends.
 */
export class BodySpool {
  readonly #folder: string;
  readonly #hash = createHash('sha256');
  #chunks: Uint8Array[] = [];
  #file: FileHandle | null = null;
  #sizeBytes = 0;
  #sha256 = '';

  constructor(folder: string) {
    this.#folder = folder;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Takes in a body. When that throws, nothing is kept. */
  async fill(body: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of body) await this.#add(chunk);
      this.#sha256 = this.#hash.digest('hex');
    } catch (error) {
      await this.discard();
      throw error;
    }
  }

  /** Hex, after `fill`. */
  get sha256(): string {
    return this.#sha256;
  }

  /** The bytes, from the first one. */
  read(): Buffer | Readable {
    return this.#file === null
      ? Buffer.concat(this.#chunks)
      : this.#file.createReadStream({ start: 0, autoClose: false });
  }

  /** Idempotent. */
  async discard(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    this.#chunks = [];
    await file?.close();
  }

  async #add(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    this.#sizeBytes += chunk.byteLength;
    this.#chunks.push(chunk);
    if (this.#file === null && this.#sizeBytes <= MEMORY_BYTES) return;
    try {
      this.#file ??= await openUnnamed(this.#folder);
      for (const waiting of this.#chunks.splice(0)) await this.#file.appendFile(waiting);
    } catch (error) {
      throw fullOr(error, 'write to the spool');
    }
  }
}

async function openUnnamed(folder: string): Promise<FileHandle> {
  const path = join(folder, `telemetry-collector-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await unlink(path);
  return file;
}
