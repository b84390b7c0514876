/**
 * What is to be removed: everything from a time on (milliseconds since the epoch), what was not sent, what was (or may have
 * been), or everything.
 */
export type PurgeScope =
  | { readonly kind: 'last'; readonly fromWallMs: number }
  | { readonly kind: 'unsent' }
  | { readonly kind: 'sent' }
  | { readonly kind: 'all' };

/**
 * What becomes of one file. `deleted`: all of it lay in that time. `cut`: the rest is kept, under a new id when the file
 * had been sealed. `whole`: the rest went too, because nobody here could open it.
 */
export type PurgeOutcome = 'deleted' | 'cut' | 'whole';

/** One segment that a purge touches. */
export interface PurgedSegment {
  readonly id: string;
  /** Where it was; `gone`: it was sent and there is no copy here any more. */
  readonly stage: 'journal' | 'sealed' | 'outbox' | 'sent' | 'quarantine' | 'gone';
  readonly outcome: PurgeOutcome;
  readonly bytes: number;
  /** Events removed; `null` where nobody here can tell. */
  readonly events: number | null;
  /** What holds the rest, when that has another id. */
  readonly replacement: string | null;
}

/** That a collector was asked to erase segments. */
export interface ErasureRequest {
  readonly request: string;
  readonly destination: string;
  readonly segments: readonly string[];
}

/** What a purge did: `telemetryctl purge` prints it, `purge list` shows it again. */
export interface PurgeReceipt {
  readonly id: string;
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly scope: PurgeScope['kind'];
  /** From when on, ISO 8601 UTC; `null` for no such time. */
  readonly from: string | null;
  /** Events that were in memory only. */
  readonly eventsInMemory: number;
  readonly segments: readonly PurgedSegment[];
  readonly erasures: readonly ErasureRequest[];
}

/** From when on a scope removes; everything has happened after `-Infinity`. */
export function fromOf(scope: PurgeScope): number {
  return scope.kind === 'last' ? scope.fromWallMs : Number.NEGATIVE_INFINITY;
}
