import { fromOf, type PurgedSegment, type PurgeScope } from '../core/purge.ts';
import type { QuarantinedFile, StoredSegment } from '../spool/segment-store.ts';
import type { SentRecord } from '../spool/sent-log.ts';

/** What a purge finds on disk and in the record of what was sent. */
export interface PurgeGround {
  readonly segments: readonly StoredSegment[];
  readonly quarantined: readonly QuarantinedFile[];
  readonly sent: Iterable<SentRecord>;
  /** When a journal's file was last written, milliseconds since the epoch. */
  readonly writtenAt: (segment: StoredSegment) => number;
  /** Where an unsent segment may have arrived all the same. */
  readonly offeredTo: (id: string) => string | undefined;
}

/** One thing a purge must act on. */
export interface PurgeTarget {
  readonly id: string;
  readonly stage: PurgedSegment['stage'];
  readonly bytes: number;
  /** All it holds, where that is known. */
  readonly events: number | null;
  /** `false`: something in it may have happened before, and stays. */
  readonly isWhole: boolean;
  /** Where it was sent to, or may have been; `null` when it never left. */
  readonly destination: string | null;
  /** The receipt it was recorded under; `""` where that is not known here, as of a journal, or there was none. */
  readonly receiptId: string;
  readonly segment: StoredSegment | null;
  readonly file: QuarantinedFile | null;
}

/** The id of a segment is made up to a flush (5 s, a minute at most) and the ripening after its first event. */
const ID_AFTER_FIRST_EVENT_MS = 120_000;

/**
 * Everything that holds, or may hold, something of what is to be purged. In doubt it is among them: whoever opens it
 * may find nothing and leave it as it is. An open journal is not: capture goes on in it, after the purge.
 */
export function purgeTargets(scope: PurgeScope, ground: PurgeGround): PurgeTarget[] {
  const fromMs = fromOf(scope);
  const sent = scope.kind === 'unsent' ? new Map<string, SentRecord>() : sentSince(ground.sent, fromMs);
  const targets: PurgeTarget[] = [];
  for (const segment of ground.segments) {
    const { id, stage, sizeBytes: bytes } = segment;
    const times = timesOf(segment, sent.get(id), ground.writtenAt(segment));
    const offeredTo = ground.offeredTo(id) ?? null;
    if (scope.kind === 'sent' && stage !== 'sent' && offeredTo === null) continue;
    if (stage === 'sent' ? !sent.delete(id) : isOpen(segment) || times.lastMs < fromMs) continue;
    targets.push({
      id,
      stage,
      bytes,
      events: 'facts' in segment ? segment.facts.events : null,
      isWhole: times.startMs >= fromMs,
      destination: stage === 'sent' ? times.destination : offeredTo,
      receiptId: times.receiptId,
      segment,
      file: null,
    });
  }
  for (const record of sent.values()) targets.push(goneTarget(record, fromMs));
  for (const file of ground.quarantined) {
    if (file.modifiedWallMs < fromMs) continue;
    if (scope.kind === 'sent' && ground.offeredTo(file.id) === undefined) continue;
    const { id, sizeBytes: bytes } = file;
    const destination = ground.offeredTo(id) ?? null;
    // Nobody may be able to read it: it is deleted as it is.
    targets.push({
      id,
      stage: 'quarantine',
      bytes,
      events: null,
      isWhole: true,
      destination,
      ...NOT_HERE,
      file,
    });
  }
  return targets;
}

function sentSince(records: Iterable<SentRecord>, fromMs: number): Map<string, SentRecord> {
  const found = new Map<string, SentRecord>();
  for (const record of records)
    if ((record.lastEventWallMs ?? record.atWallMs) >= fromMs) found.set(record.id, record);
  return found;
}

function timesOf(segment: StoredSegment, record: SentRecord | undefined, writtenAtMs: number) {
  const destination = record?.destination ?? null;
  if ('facts' in segment) {
    const { startWallMs, lastEventWallMs } = segment.facts;
    return { startMs: startWallMs, lastMs: lastEventWallMs, destination, receiptId: segment.facts.receiptId };
  }
  const madeMs = madeAt(segment.id) - ID_AFTER_FIRST_EVENT_MS;
  return {
    startMs: record?.startWallMs ?? madeMs,
    lastMs: record?.lastEventWallMs ?? writtenAtMs,
    destination,
    receiptId: record?.receiptId ?? '',
  };
}

const NOT_HERE = { receiptId: '', segment: null, file: null } as const;

/** It was sent, and only the collector has it: what of it is to stay cannot be told. */
function goneTarget(record: SentRecord, fromMs: number): PurgeTarget {
  const { id, destination, bytes } = record;
  const startMs = record.startWallMs ?? madeAt(id) - ID_AFTER_FIRST_EVENT_MS;
  const isWhole = startMs >= fromMs;
  return { id, stage: 'gone', bytes, events: null, isWhole, destination, ...NOT_HERE };
}

function isOpen(segment: StoredSegment): boolean {
  return segment.stage === 'journal' && segment.state === 'open';
}

/** A UUID of version 7 begins with the millisecond it was made (RFC 9562, section 5.7). */
function madeAt(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
