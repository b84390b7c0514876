import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { AppendFile } from '../spool/append-file.ts';
import type { FileSystem } from '../spool/file-system.ts';
import { jsonLine, openJsonLines, readLines } from '../spool/json-lines.ts';
import {
  GENESIS,
  isHashRight,
  type LedgerEntry,
  type LedgerFact,
  linkEntry,
  parseEntry,
} from './ledger-entry.ts';

/** The last link of the chain: who knows it can tell later whether anything before it was changed or cut off. */
export interface LedgerHead {
  /** 0 in an empty ledger. */
  readonly seq: number;
  readonly hash: string;
}

/** Outcome of {@link verifyLedger}. */
export interface LedgerCheck {
  readonly ok: boolean;
  /** Entries whose place in the chain is right, counted from the first. */
  readonly entries: number;
  /** Line, from 1, of the first entry that is changed, missing or out of place; `null` when all are right. */
  readonly brokenAt: number | null;
  readonly head: LedgerHead;
  /** Heads that were kept elsewhere and that no entry of this chain has; not looked for in a broken one. */
  readonly missingHeads: readonly string[];
}

/**
 * Opens `ledger.jsonl` to append to, under the state folder's lock. Bytes at its end that are no whole entry (a power
 * cut) are moved to a file beside it, and the chain goes on from the last whole one. Reads only the end.
 */
export function openLedger(stateDir: string, clock: Clock, files?: FileSystem): Ledger {
  const { file, last, tornKeptAs } = openJsonLines(ledgerPath(stateDir), parseEntry, files);
  return new Ledger(file, clock, last ?? { seq: 0, hash: GENESIS }, tornKeptAs);
}

/** The open ledger: append-only, each entry chained to the one before. */
export class Ledger {
  readonly #file: AppendFile;
  readonly #clock: Clock;
  #head: LedgerHead;
  /** Where a torn end found at opening is kept; `null` when there was none. */
  readonly tornKeptAs: string | null;

  constructor(file: AppendFile, clock: Clock, head: LedgerHead, tornKeptAs: string | null) {
    this.#file = file;
    this.#clock = clock;
    this.#head = { seq: head.seq, hash: head.hash };
    this.tornKeptAs = tornKeptAs;
  }

  /**
   * Records a fact, durably (one write and one fdatasync, synchronous), and returns the new head. A full or failing disk
   * throws and leaves the chain as it was; one that only fails to sync throws as well, with the fact in the chain.
   */
  appendEntry(fact: LedgerFact): LedgerHead {
    return this.appendEntries([fact]);
  }

  /** Records several facts, all or none, with one sync. */
  appendEntries(facts: readonly LedgerFact[]): LedgerHead {
    const at = new Date(this.#clock.now().wallMs).toISOString();
    const lines: Uint8Array[] = [];
    let head = this.#head;
    for (const fact of facts) {
      const entry = linkEntry(fact, head.seq + 1, at, head.hash);
      lines.push(jsonLine(entry));
      head = { seq: entry.seq, hash: entry.hash };
    }
    this.#file.append(...lines);
    this.#head = head;
    this.#file.sync();
    return head;
  }

  head(): LedgerHead {
    return this.#head;
  }

  close(): void {
    this.#file.close();
  }
}

/** All entries, oldest first, read in pieces; works beside a running daemon. Lines that are no entries are passed over. */
export function* readLedger(stateDir: string, files?: FileSystem): Generator<LedgerEntry, void, undefined> {
  for (const { text } of readLines(ledgerPath(stateDir), files)) {
    const entry = tryParse(text);
    if (entry !== undefined) yield entry;
  }
}

/**
 * Follows the chain from its first entry. A last line that is still being written counts as not there. Who rewrites the
 * whole chain makes a sound one, but other hashes: it does not have the `heads` that segments, receipts and the collector
 * kept of the true one.
 */
export function verifyLedger(
  stateDir: string,
  heads: Iterable<string> = [],
  files?: FileSystem,
): LedgerCheck {
  let head: LedgerHead = { seq: 0, hash: GENESIS };
  const missing = new Set(heads);
  missing.delete(GENESIS);
  for (const { text, isWhole } of readLines(ledgerPath(stateDir), files)) {
    if (!isWhole) break;
    const entry = tryParse(text);
    const isNext = entry?.seq === head.seq + 1 && entry.prev === head.hash && isHashRight(entry);
    if (!isNext) return { ok: false, entries: head.seq, brokenAt: head.seq + 1, head, missingHeads: [] };
    head = { seq: entry.seq, hash: entry.hash };
    missing.delete(entry.hash);
  }
  const missingHeads = [...missing];
  return { ok: missingHeads.length === 0, entries: head.seq, brokenAt: null, head, missingHeads };
}

function ledgerPath(stateDir: string): string {
  return join(stateDir, 'ledger.jsonl');
}

function tryParse(text: string): LedgerEntry | undefined {
  try {
    return parseEntry(JSON.parse(text));
  } catch {
    return undefined;
  }
}
