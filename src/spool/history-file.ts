import { join } from 'node:path';
import { COLLECTION_NAMES, type CollectionName } from '../core/collection.ts';
import type { AppendFile } from './append-file.ts';
import { writeDurably } from './durable-file.ts';
import { jsonLine, openJsonLines, readLines } from './json-lines.ts';

/** What the daemon was doing from a moment on; `asleep` is the machine. */
export interface HistoryState {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly state: CollectionName | 'asleep';
  /** The daemon has just started: what came before ended when it was last heard of. */
  readonly isStart?: true;
}

/** What the daemon and its capture process cost over the stretch of `overMs` that ends at `at`. */
export interface HistoryCost {
  readonly at: number;
  readonly overMs: number;
  readonly cpuSeconds: number;
  readonly wakeups: number;
  /** At its end. */
  readonly rssBytes: number;
}

export type HistoryLine = HistoryState | HistoryCost;

/** A month, as a person looks back. */
const KEEP_MS = 31 * 86_400_000;
/** A quarter of an hour takes one line of 100 bytes, a month 300 KB; whoever pauses every minute still ends here. */
const MAX_BYTES = 1024 * 1024;

/**
 * `history.jsonl` in the state folder: when it recorded and what that cost, for the person's own report. It has neither
 * events nor counts of them, and never leaves the device.
 */
export class HistoryFile {
  readonly #path: string;
  #file: AppendFile;

  constructor(path: string, file: AppendFile) {
    this.#path = path;
    this.#file = file;
  }

  /** Adds a line; not synced, since a power cut may take the last quarter of an hour of it. */
  append(line: HistoryLine): void {
    this.#file.append(jsonLine(line));
    if (this.#file.sizeBytes > MAX_BYTES) this.trim(line.at);
  }

  /** Drops what is older than a month, and the older half of what is too much. */
  trim(nowMs: number): void {
    const lines = [...linesOf(this.#path)].filter(({ at }) => at >= nowMs - KEEP_MS);
    const kept = this.#file.sizeBytes > MAX_BYTES ? lines.slice(lines.length >> 1) : lines;
    this.#file.close();
    writeDurably(this.#path, Buffer.concat(kept.map(jsonLine)));
    this.#file = openHistory(this.#path);
  }

  close(): void {
    this.#file.close();
  }
}

/** Opens it to append to, without what is older than a month. */
export function openHistoryFile(stateDir: string, nowMs: number): HistoryFile {
  const path = historyPath(stateDir);
  const file = new HistoryFile(path, openHistory(path));
  for (const { at } of linesOf(path)) {
    if (at < nowMs - KEEP_MS) file.trim(nowMs);
    break;
  }
  return file;
}

/** All lines, oldest first; works beside a running daemon. What is no line of ours is passed over. */
export function readHistory(stateDir: string): Generator<HistoryLine, void, undefined> {
  return linesOf(historyPath(stateDir));
}

function historyPath(stateDir: string): string {
  return join(stateDir, 'history.jsonl');
}

function openHistory(path: string): AppendFile {
  return openJsonLines(path, parseLine).file;
}

function* linesOf(path: string): Generator<HistoryLine, void, undefined> {
  for (const { text } of readLines(path)) {
    try {
      yield parseLine(JSON.parse(text));
    } catch {
      // Nothing acts on a line of history; one that is damaged is one less.
    }
  }
}

const STATES: ReadonlySet<unknown> = new Set([...COLLECTION_NAMES, 'asleep']);

function parseLine(json: unknown): HistoryLine {
  const { at, state, overMs, cpuSeconds, wakeups, rssBytes } = json as Record<string, unknown>;
  const isCost = [overMs, cpuSeconds, wakeups, rssBytes].every(isAmount);
  if (!isAmount(at) || !(STATES.has(state) || isCost)) throw new Error('not a line of history');
  return json as HistoryLine;
}

function isAmount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
