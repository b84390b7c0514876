import { createHash } from 'node:crypto';
import { readdirSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ensureFolder, readPlainFile, removeFile, writeDurably } from './durable-file.ts';
import { isUuid } from './identifiers.ts';

/** `TMPFS_MAGIC` of statfs(2): a file system that is memory and is gone after a reboot. */
const TMPFS = 0x01021994;

/**
 * Where the keys of journals lie while they may be needed, never on a disk: in the runtime folder when that is memory,
 * else in a folder of our own under `/dev/shm`; `null` where there is neither (macOS), and then a key lives in the
 * daemon alone. `stateDir` tells the daemons of one account apart.
 */
export function findKeyFolder(runtimeDir: string, stateDir: string, uid: number): string | null {
  const name = createHash('sha256').update(stateDir).digest('hex').slice(0, 16);
  const candidates = [join(runtimeDir, 'keys'), `/dev/shm/telemetryd-${uid}-${name}`];
  for (const folder of candidates) {
    try {
      ensureFolder(folder, false);
      // Somebody else may have made it before us, to read what we put there.
      if (statSync(folder).uid === uid && statfsSync(folder).type === TMPFS) return folder;
    } catch {
      // Not ours, or no such place: the next one.
    }
  }
  return null;
}

/** Keys of journals in memory-backed files (0600), so that a restarted daemon can go on where a killed one stopped. */
export class KeyFolder {
  readonly #folder: string | null;
  readonly #keys = new Map<string, Uint8Array>();

  constructor(folder: string | null) {
    this.#folder = folder;
  }

  put(segmentId: string, key: Uint8Array): void {
    this.#keys.set(segmentId, key);
    if (this.#folder !== null) writeDurably(this.#path(this.#folder, segmentId), key);
  }

  /** The key of a journal; `undefined` after a reboot, or where nothing outlives the daemon that had it. */
  get(segmentId: string): Uint8Array | undefined {
    const known = this.#keys.get(segmentId);
    if (known !== undefined || this.#folder === null || !isUuid(segmentId)) return known;
    return readPlainFile(this.#path(this.#folder, segmentId));
  }

  /** The journal is sealed or gone, and its key is of no more use. */
  destroy(segmentId: string): void {
    this.#keys.delete(segmentId);
    if (this.#folder !== null) removeFile(this.#path(this.#folder, segmentId));
  }

  /** Destroys every key but those of the journals that exist. */
  keepOnly(segmentIds: ReadonlySet<string>): void {
    if (this.#folder === null) return;
    for (const name of readdirSync(this.#folder)) {
      const id = name.replace(/\.key$/, '');
      if (isUuid(id) && !segmentIds.has(id)) removeFile(join(this.#folder, name));
    }
  }

  #path(folder: string, segmentId: string): string {
    return join(folder, `${segmentId}.key`);
  }
}
