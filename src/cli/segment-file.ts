import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { locations } from '../control/locations.ts';
import { TelemetryError } from '../core/errors.ts';
import { isEncryptedSegment, type OpenedSegment, openSegment } from '../segment/open-segment.ts';
import { diskError, errnoOf } from '../spool/disk-error.ts';
import type { CliIo } from './io.ts';

/** A journal is rolled at 8 MiB, and what a reader takes of a file ends at some 12. Far more than that is not a segment. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;

/** A segment and its file. */
export interface SegmentFile {
  readonly segment: OpenedSegment;
  readonly sizeBytes: number;
  /** Of the file as it is, encrypted or not, in hex: what the ledger and the collector name it by. */
  readonly sha256: string;
}

/**
 * Opens segment files for a command, encrypted ones with the identities in `identityFiles`, or else with the person's own.
 * Identities are read when the first file needs one, so that plain files can be read without.
 */
export class SegmentOpener {
  readonly #io: CliIo;
  readonly #identityFiles: readonly string[];
  #identities: readonly string[] | undefined;

  constructor(io: CliIo, identityFiles: readonly string[]) {
    this.#io = io;
    this.#identityFiles = identityFiles;
  }

  /** Errors are as those of `openSegment`, with the path in front. */
  async open(path: string): Promise<SegmentFile> {
    try {
      const bytes = await readSegmentFile(resolve(this.#io.around.cwd, path));
      const identities = isEncryptedSegment(bytes) ? await this.#readIdentities() : [];
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      return { segment: await openSegment(bytes, { identities }), sizeBytes: bytes.length, sha256 };
    } catch (error) {
      throw inFile(path, error);
    }
  }

  /** Reads the identities that the command line names now, so that a wrong one is one error and not one a file. */
  async prepare(): Promise<void> {
    if (this.#identityFiles.length > 0) await this.#readIdentities();
  }

  async #readIdentities(): Promise<readonly string[]> {
    if (this.#identities !== undefined) return this.#identities;
    // Loaded here alone: the age library behind it is large.
    const { readNamedIdentities, readOwnerIdentities } = await import('../privacy/owner-identity.ts');
    const { around } = this.#io;
    this.#identities =
      this.#identityFiles.length === 0
        ? (readOwnerIdentities(locations(around).identityPath) ?? [])
        : this.#identityFiles.flatMap((file) => readNamedIdentities(resolve(around.cwd, file), file));
    return this.#identities;
  }
}

/** The bytes of a regular file, read without blocking signals; `maxBytes` from the start, or all when it has no more. */
export async function readSegmentFile(path: string, maxBytes?: number): Promise<Uint8Array> {
  try {
    // Non-blocking, so that a FIFO is refused below and not waited for.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await file.stat();
      if (!stats.isFile())
        throw new TelemetryError('failed', 'it is not a regular file', { hint: 'give a segment file' });
      if (maxBytes === undefined && stats.size > MAX_FILE_BYTES) {
        throw new TelemetryError('bad-segment', 'it is too large for a segment', {
          hint: 'give a segment file',
        });
      }
      const buffer = Buffer.alloc(Math.min(stats.size, maxBytes ?? stats.size));
      let read = 0;
      while (read < buffer.length) {
        const { bytesRead } = await file.read(buffer, read, buffer.length - read, read);
        if (bytesRead === 0) break;
        read += bytesRead;
      }
      return buffer.subarray(0, read);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof TelemetryError) throw cause;
    if (errnoOf(cause) === 'ENOENT')
      throw new TelemetryError('failed', 'there is no such file', {
        hint: 'telemetryctl inspect lists what there is',
      });
    throw diskError('read', path, cause);
  }
}

function inFile(path: string, error: unknown): unknown {
  if (!(error instanceof TelemetryError) || error.message.includes(path)) return error;
  return new TelemetryError(error.code, `${path}: ${error.message}`, { hint: error.hint, cause: error });
}
