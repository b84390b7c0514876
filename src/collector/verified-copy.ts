import { constants, createReadStream } from 'node:fs';
import { chmod, copyFile, link, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sha256Of } from './content-digest.ts';
import { codeOf } from './file-error.ts';
import type { FolderSyncs } from './folder-syncs.ts';

/** Hex SHA-256 of a file; `null` when there is none. */
export async function digestOf(path: string): Promise<string | null> {
  try {
    return await sha256Of(createReadStream(path) as AsyncIterable<Uint8Array>);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/**
 * Puts a file that never changes under another name as well, by a hard link where both are on one file system. Durable,
 * and read back: `false`, and nothing there, when its bytes are not those of `sha256`.
 */
export async function copyVerified(
  from: string,
  to: string,
  sha256: string,
  syncs: FolderSyncs,
): Promise<boolean> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  await link(from, to).catch(async (error: unknown) => {
    if (!['EXDEV', 'EPERM', 'EMLINK'].includes(codeOf(error))) throw error;
    await copyDurably(from, to);
  });
  if ((await digestOf(to)) !== sha256) {
    await rm(to);
    return false;
  }
  await syncs.sync(dirname(to));
  return true;
}

/** Copies a file that may change later, for its owner alone. */
export async function copyDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_EXCL);
  await chmod(to, 0o600);
  await syncFile(to);
}

/** Makes what was written to a file durable. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  await file.datasync().finally(() => file.close());
}
