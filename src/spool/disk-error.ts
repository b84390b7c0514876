import { dirname } from 'node:path';
import { messageOf, TelemetryError } from '../core/errors.ts';

/** Errors of the disk that may pass by themselves or once someone made room; worth another try. */
const RETRYABLE = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EAGAIN', 'EMFILE', 'ENFILE', 'EFBIG']);

/** What the disk refused. */
export class DiskError extends TelemetryError {}

/** A failed file operation as a {@link DiskError} that names the path, never what was to be written. */
export function diskError(op: string, path: string, cause: unknown): DiskError {
  const errno = errnoOf(cause);
  return new DiskError('unavailable', `cannot ${op} ${path}: ${errno || messageOf(cause)}`, {
    op,
    hint: hintFor(errno, dirname(path)),
    retryable: RETRYABLE.has(errno),
    cause,
  });
}

/** The errno name of anything thrown by `node:fs` (`ENOSPC`); `""` when it has none. */
export function errnoOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
}

function hintFor(errno: string, folder: string): string {
  switch (errno) {
    case 'ENOSPC':
    case 'EDQUOT':
      return `free some space on the disk that holds ${folder}`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `make ${folder} writable for the account that runs telemetryd`;
    case 'ELOOP':
      return `replace the symbolic link in ${folder} by a real file or folder`;
    default:
      return '';
  }
}
