import { join } from 'node:path';
import type { AppendFile } from './append-file.ts';
import type { FileSystem } from './file-system.ts';
import { fileSystemNode } from './file-system-node.ts';
import { isUuid } from './identifiers.ts';
import { jsonLine, openJsonLines, readLines } from './json-lines.ts';

/** What is kept of a sent segment, for good: one line of `sent.jsonl`. */
export interface SentRecord {
  readonly id: string;
  /** Hex, of the file as sent; what the collector echoed. */
  readonly sha256: string;
  readonly bytes: number;
  /** What its transfer was charged, both directions. */
  readonly chargedBytes: number;
  readonly destination: string;
  readonly atWallMs: number;
  /** The receipt it was recorded under, and when its first and its last event happened; earlier versions kept none. */
  readonly receiptId?: string;
  readonly startWallMs?: number;
  readonly lastEventWallMs?: number;
}

/** Opens `sent.jsonl` to append to; a torn last line is kept beside it. */
export function openSentLog(stateDir: string, files: FileSystem = fileSystemNode): AppendFile {
  return openJsonLines(sentLogPath(stateDir), parseSent, files).file;
}

/** Adds a record; durable when it returns. */
export function appendSent(log: AppendFile, record: SentRecord): void {
  log.append(jsonLine(record));
  log.sync();
}

/** All records, oldest first. Lines that cannot be read are passed over: they name nothing that could be acted on. */
export function* readSent(stateDir: string, files: FileSystem = fileSystemNode): Generator<SentRecord> {
  for (const { text } of readLines(sentLogPath(stateDir), files)) {
    const record = tryParse(text);
    if (record !== undefined) yield record;
  }
}

function sentLogPath(stateDir: string): string {
  return join(stateDir, 'sent.jsonl');
}

function tryParse(text: string): SentRecord | undefined {
  try {
    return parseSent(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function parseSent(json: unknown): SentRecord {
  const record = json as Partial<Record<keyof SentRecord, unknown>> | null;
  const { id, sha256, bytes, chargedBytes, destination, atWallMs, receiptId, startWallMs, lastEventWallMs } =
    record ?? {};
  if (
    typeof id !== 'string' ||
    !isUuid(id) ||
    typeof sha256 !== 'string' ||
    typeof bytes !== 'number' ||
    typeof chargedBytes !== 'number' ||
    typeof destination !== 'string' ||
    typeof atWallMs !== 'number'
  ) {
    throw new Error('not a record of a sent segment');
  }
  const areTimesKnown = typeof startWallMs === 'number' && typeof lastEventWallMs === 'number';
  return {
    id,
    sha256,
    bytes,
    chargedBytes,
    destination,
    atWallMs,
    ...(typeof receiptId === 'string' ? { receiptId } : {}),
    ...(areTimesKnown ? { startWallMs, lastEventWallMs } : {}),
  };
}
