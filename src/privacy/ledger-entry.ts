import { createHash } from 'node:crypto';
import { canonicalJson } from '../core/canonical-json.ts';
import type { LossCounts } from '../core/events.ts';
import type { PurgeReceipt } from '../core/purge.ts';

/** What the ledger records. It counts and names; it holds no event, and nothing of what was typed or clicked. */
export type LedgerFact =
  | {
      readonly type: 'captured';
      readonly segment: string;
      readonly sequence: number;
      /** `null`: not known, the journal's key was gone. */
      readonly events: number | null;
      readonly bytes: number;
      readonly loss?: LossCounts;
      /** It is what a purge left of that segment; its events were counted there already. */
      readonly replaces?: string;
    }
  /** Nothing was recorded from `from` to `until` (ISO 8601 UTC); `cause` stays on this device. */
  | { readonly type: 'withheld'; readonly cause: string; readonly from: string; readonly until: string }
  /** The person had something removed. The receipt names files, never what was in them. */
  | {
      readonly type: 'purged';
      readonly purge: string;
      readonly scope: string;
      readonly segments: number;
      readonly bytes: number;
      /** Of those that could be counted. */
      readonly events: number;
      readonly receipt: PurgeReceipt;
    }
  /** A collector confirmed that it erased what it was asked to. */
  | {
      readonly type: 'erased';
      readonly purge: string;
      readonly request: string;
      readonly destination: string;
      /** How many of the segments it was asked for it had; the others it will never take. */
      readonly segments: number;
    }
  | {
      readonly type: 'sent';
      readonly segment: string;
      readonly bytes: number;
      readonly sha256: string;
      readonly destination: string;
    }
  | {
      readonly type: 'dropped';
      readonly segment: string;
      readonly bytes: number;
      /** `null`: not known any more. */
      readonly events: number | null;
      /** `unknown`: it was gone at a start, and nothing said why. */
      readonly cause: 'quota' | 'retention' | 'keep-sent' | 'exemption' | 'collector' | 'unknown';
    }
  /** A collector was told this of the program here; see `HEALTH_CODES`. */
  | {
      readonly type: 'health';
      readonly version: string;
      readonly backend: string;
      readonly codes: readonly string[];
      readonly destination: string;
    }
  | { readonly type: 'quarantined'; readonly segment: string; readonly why: string }
  | {
      readonly type: 'consent';
      readonly change: 'granted' | 'revoked' | 'stale';
      readonly receipt: string;
      readonly notice: string;
    }
  /** Neither why nor which application: the ledger is kept for ever. */
  | {
      readonly type: 'exemption';
      readonly exemption: string;
      readonly change: 'requested' | 'approved' | 'denied' | 'withdrawn' | 'expired';
      readonly scope: 'all' | 'app' | 'hours';
    }
  | { readonly type: 'policy'; readonly policy: string; readonly source: string }
  | { readonly type: 'started'; readonly version: string; readonly mode: string }
  | { readonly type: 'stopped'; readonly cause: string };

/** The place of an entry in the chain. */
export interface LedgerLink {
  /** From 1, without gaps. */
  readonly seq: number;
  /** ISO 8601 UTC, by the device's clock of that moment. */
  readonly at: string;
  /** `hash` of the entry before; {@link GENESIS} for the first. */
  readonly prev: string;
  /** Hex SHA-256 of this entry's canonical JSON without `hash`. */
  readonly hash: string;
}

export type LedgerEntry = LedgerFact & LedgerLink;

/** What the first entry follows: 64 zeros. */
export const GENESIS = '0'.repeat(64);

/** Chains a fact to the entry before it. */
export function linkEntry(fact: LedgerFact, seq: number, at: string, prev: string): LedgerEntry {
  const unsigned = { seq, at, ...fact, prev };
  return { ...unsigned, hash: hashOf(unsigned) };
}

/** Whether an entry's own hash is right. */
export function isHashRight(entry: LedgerEntry): boolean {
  const { hash, ...unsigned } = entry;
  return hash === hashOf(unsigned);
}

/** Checks what chaining needs; throws when something read from disk is no entry. Its fact is as it was written. */
export function parseEntry(json: unknown): LedgerEntry {
  if (typeof json !== 'object' || json === null) throw new Error('not an entry');
  const { seq, at, type, prev, hash } = json as Partial<Record<string, unknown>>;
  const isChained = typeof prev === 'string' && typeof hash === 'string' && Number.isSafeInteger(seq);
  if (!isChained || typeof at !== 'string' || typeof type !== 'string') throw new Error('not an entry');
  return json as LedgerEntry;
}

function hashOf(unsigned: object): string {
  return createHash('sha256').update(canonicalJson(unsigned)).digest('hex');
}
