import { StorageFullError } from './object-store.ts';

/** The errno name of anything thrown by `node:fs` (`ENOSPC`); `''` when it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** The error of a file operation, in our words when it is that there is no room. */
export function fullOr(error: unknown, op: string): unknown {
  const code = codeOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT' ? new StorageFullError(op, error) : error;
}
