import type {
  JournalSegment,
  QuarantinedFile,
  QueuedSegment,
  SegmentStore,
  SentSegment,
  StoredSegment,
} from './segment-store.ts';

export interface SpoolLimits {
  /** All segment files together. */
  readonly limitBytes: number;
  /** Unsent segments, from their last event; quarantined files, from their last write. */
  readonly retentionMs: number;
  /** Sent segments, from when they were sent. */
  readonly keepSentMs: number;
}

/** A file to delete, and which limit, or whether an exemption or the collector, wants it. */
export type Surplus = {
  readonly cause: 'retention' | 'keep-sent' | 'quota' | 'exemption' | 'collector';
} & (
  | { readonly kind: 'segment'; readonly segment: StoredSegment }
  | { readonly kind: 'quarantined'; readonly file: QuarantinedFile }
);

/**
 * What the limits want deleted now, in order: what is too old, then, while the whole is too large, the oldest sent,
 * sealed and closed segments. An open journal and the files of a running round are never among them; quarantine gives
 * way to age only.
 */
export function findSurplus(store: SegmentStore, limits: SpoolLimits, nowWallMs: number): Surplus[] {
  const surplus: Surplus[] = [];
  const sent: SentSegment[] = [];
  const sealed: QueuedSegment[] = [];
  const closed: JournalSegment[] = [];
  for (const segment of store.all()) {
    switch (segment.stage) {
      case 'sent':
        if (nowWallMs - segment.sentAtWallMs < limits.keepSentMs) sent.push(segment);
        else surplus.push({ kind: 'segment', segment, cause: 'keep-sent' });
        break;
      case 'sealed':
        if (nowWallMs - segment.facts.lastEventWallMs < limits.retentionMs) sealed.push(segment);
        else surplus.push({ kind: 'segment', segment, cause: 'retention' });
        break;
      case 'journal':
        if (segment.state !== 'open') closed.push(segment);
        break;
      case 'outbox':
        break;
    }
  }
  for (const file of store.quarantined()) {
    if (nowWallMs - file.modifiedWallMs < limits.retentionMs) continue;
    surplus.push({ kind: 'quarantined', file, cause: 'retention' });
  }
  let bytes = totalBytes(store) - surplus.reduce((sum, found) => sum + sizeOf(found), 0);
  const candidates = bytes <= limits.limitBytes ? [] : oldestFirst(sent, sealed, closed);
  for (const segment of candidates) {
    if (bytes <= limits.limitBytes) break;
    surplus.push({ kind: 'segment', segment, cause: 'quota' });
    bytes -= segment.sizeBytes;
  }
  return surplus;
}

/** Bytes of all segment files, in whatever stage. */
export function totalBytes(store: SegmentStore): number {
  const stages = ['journal', 'sealed', 'outbox', 'sent', 'quarantine'] as const;
  return stages.reduce((sum, stage) => sum + store.tally(stage).bytes, 0);
}

function sizeOf(surplus: Surplus): number {
  return surplus.kind === 'segment' ? surplus.segment.sizeBytes : surplus.file.sizeBytes;
}

function oldestFirst(
  sent: SentSegment[],
  sealed: QueuedSegment[],
  closed: JournalSegment[],
): StoredSegment[] {
  return [
    ...sent.sort((a, b) => a.sentAtWallMs - b.sentAtWallMs),
    ...sealed.sort((a, b) => a.facts.lastEventWallMs - b.facts.lastEventWallMs),
    // Ids of version 7 sort by time.
    ...closed.sort((a, b) => (a.id < b.id ? -1 : 1)),
  ];
}
