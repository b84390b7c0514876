import { type AppendFile, openAppendFile } from './append-file.ts';
import { asidePath, cutFile, openPlainFile, readAt, writeDurably } from './durable-file.ts';
import type { FileSystem } from './file-system.ts';
import { fileSystemNode } from './file-system-node.ts';

const NEWLINE = 0x0a;
const CHUNK_BYTES = 64 * 1024;

/** An append-only file of JSON lines, whole up to its end. */
export interface JsonLines<T> {
  readonly file: AppendFile;
  /** The last line; `undefined` in an empty file. */
  readonly last: T | undefined;
  /** Where bytes at the end that were no whole line are kept; `null` when there were none. */
  readonly tornKeptAs: string | null;
}

/**
 * Opens a file of JSON lines to append to. Bytes at its end that are no whole line, or that `parse` refuses by
 * throwing, are moved to a file beside it, so that the next line follows a good one. Reads only the end of the file.
 */
export function openJsonLines<T>(
  path: string,
  parse: (json: unknown) => T,
  files: FileSystem = fileSystemNode,
): JsonLines<T> {
  const file = openAppendFile(path, 'any', files);
  const { last, goodBytes } = findLastLine(file, parse, files);
  if (goodBytes === file.sizeBytes) return { file, last, tornKeptAs: null };
  const tornKeptAs = asidePath(path, 'torn', files);
  try {
    writeDurably(tornKeptAs, readAt(file.fd, goodBytes, file.sizeBytes - goodBytes, files), files);
    cutFile(file.fd, goodBytes, files);
  } finally {
    file.close();
  }
  return { file: openAppendFile(path, 'any', files), last, tornKeptAs };
}

function findLastLine<T>(
  file: AppendFile,
  parse: (json: unknown) => T,
  files: FileSystem,
): { last: T | undefined; goodBytes: number } {
  for (let length = CHUNK_BYTES; ; length *= 2) {
    const start = Math.max(0, file.sizeBytes - length);
    const tail = readAt(file.fd, start, file.sizeBytes - start, files);
    let end = tail.lastIndexOf(NEWLINE);
    while (end >= 0) {
      const begin = end === 0 ? -1 : tail.lastIndexOf(NEWLINE, end - 1);
      if (begin < 0 && start > 0) break;
      const last = tryParse(tail.subarray(begin + 1, end), parse);
      if (last !== undefined) return { last, goodBytes: start + end + 1 };
      end = begin;
    }
    if (start === 0) return { last: undefined, goodBytes: 0 };
  }
}

function tryParse<T>(line: Uint8Array, parse: (json: unknown) => T): T | undefined {
  try {
    return parse(JSON.parse(new TextDecoder().decode(line)));
  } catch {
    return undefined;
  }
}

/** One line as JSON, ready to append. */
export function jsonLine(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value)}\n`);
}

/**
 * The lines of a file from its first, read in chunks; none when there is no file. A line still being written, or torn,
 * comes last with `isWhole` false.
 */
export function* readLines(
  path: string,
  files: FileSystem = fileSystemNode,
): Generator<{ readonly text: string; readonly isWhole: boolean }> {
  const fd = openPlainFile(path, files);
  if (fd === undefined) return;
  try {
    const decoder = new TextDecoder();
    let rest = '';
    for (let offset = 0; ; ) {
      const chunk = readAt(fd, offset, CHUNK_BYTES, files);
      offset += chunk.length;
      const lines = (rest + decoder.decode(chunk, { stream: chunk.length > 0 })).split('\n');
      rest = lines.pop() ?? '';
      for (const text of lines) yield { text, isWhole: true };
      if (chunk.length === 0) break;
    }
    if (rest !== '') yield { text: rest, isWhole: false };
  } finally {
    files.closeSync(fd);
  }
}
