import { dirname } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { asidePath, moveFile, readPlainFile, syncFolder, writeDurably } from './durable-file.ts';
import type { FileSystem } from './file-system.ts';
import { fileSystemNode } from './file-system-node.ts';

/** What a small state file held. A damaged one was moved to `keptAs`, so that the next write does not lose it. */
export type StateRead<T> =
  | { readonly kind: 'missing' }
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'corrupt'; readonly reason: string; readonly keptAs: string };

/**
 * Reads a JSON state file. `parse` checks what was read and throws when it is not what it should be; that counts as
 * damage, like bytes that are no JSON. A file that cannot be read at all (permissions, a symbolic link) throws.
 */
export function readStateFile<T>(
  path: string,
  parse: (json: unknown) => T,
  files: FileSystem = fileSystemNode,
): StateRead<T> {
  const bytes = readPlainFile(path, files);
  if (bytes === undefined) return { kind: 'missing' };
  try {
    return { kind: 'ok', value: parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))) };
  } catch (error) {
    const keptAs = asidePath(path, 'corrupt', files);
    moveFile(path, keptAs, files);
    syncFolder(dirname(path), files);
    return { kind: 'corrupt', reason: messageOf(error), keptAs };
  }
}

/** Replaces a JSON state file (0600); durable when it returns. The folder must exist. */
export function writeStateFile(path: string, value: unknown, files: FileSystem = fileSystemNode): void {
  writeDurably(path, new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`), files);
}
