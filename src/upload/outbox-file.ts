import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** A file to send, opened and hashed; whoever asked closes it. */
export interface OutboxFile {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
  readonly sha256: Buffer;
}

/** Why a file is not sent: it is no readable, regular file of the outbox, or it is gone (purged meanwhile). */
type OutboxProblem = 'unacceptable' | 'gone';

/** Large enough that reading costs little, small enough not to matter. */
const READ_BYTES = 64 * 1024;

/**
 * Opens `name` in the outbox and hashes it. The name must be a plain one, and no symbolic link is followed: the
 * uploader sends what the daemon put there and cannot be made to send anything else. The file is read twice, once
 * here and once while it is sent, because its digest goes ahead of it in a header.
 */
export async function openOutboxFile(outboxDir: string, name: string): Promise<OutboxFile | OutboxProblem> {
  if (name === '' || name === '.' || name === '..' || name !== basename(name) || name.includes('\0')) {
    return 'unacceptable';
  }
  let handle: FileHandle;
  try {
    // Not blocking, or opening a FIFO would wait for a writer for ever.
    handle = await open(
      join(outboxDir, name),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'gone' : 'unacceptable';
  }
  const read = await readWhole(handle).catch(() => null); // a disk that fails here is a file that cannot be sent
  if (read !== null) return { handle, ...read };
  await handle.close();
  return 'unacceptable';
}

/** The first `sizeBytes` of a file, in pieces; one buffer serves for all, so a piece is good until the next is asked for. */
export async function* readPieces(
  handle: FileHandle,
  sizeBytes: number,
  pieceBytes: number,
): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(pieceBytes, Math.max(1, sizeBytes)));
  for (let position = 0; position < sizeBytes; ) {
    const wanted = Math.min(buffer.length, sizeBytes - position);
    const { bytesRead } = await handle.read(buffer, 0, wanted, position);
    if (bytesRead === 0) return; // someone cut the file short; the receiver notices by the length
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function readWhole(handle: FileHandle): Promise<Pick<OutboxFile, 'sizeBytes' | 'sha256'> | null> {
  const stats = await handle.stat();
  if (!stats.isFile()) return null;
  const hash = createHash('sha256');
  for await (const piece of readPieces(handle, stats.size, READ_BYTES)) hash.update(piece);
  return { sizeBytes: stats.size, sha256: hash.digest() };
}
