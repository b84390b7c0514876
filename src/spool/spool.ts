import { TelemetryError } from '../core/errors.ts';
import type { RecordedSpan } from '../core/exemption.ts';
import type { SealEffort } from '../segment/seal.ts';
import type { SegmentHeader } from '../segment/types.ts';
import type { AppendFile } from './append-file.ts';
import { DiskError } from './disk-error.ts';
import { moveFile, removeFile } from './durable-file.ts';
import { removeFacts } from './facts-file.ts';
import type { FileSystem } from './file-system.ts';
import { fileSystemNode } from './file-system-node.ts';
import { ensureStages, STAGES, segmentPath } from './folders.ts';
import { isUuid } from './identifiers.ts';
import { createJournal, cutJournal, type Journal, type JournalKey, receiptOf } from './journal-file.ts';
import { findSurplus, type SpoolLimits, type Surplus, totalBytes } from './limits.ts';
import { readOffered, writeOffered } from './offered-file.ts';
import { spanOf, spanOfQuarantined } from './recorded-spans.ts';
import { type RecoveryReport, recoverStore } from './recovery.ts';
import type { SealedFacts } from './sealed-file.ts';
import { keepEncrypted, type SealResult, sealJournal, takeSealed } from './sealing.ts';
import {
  type JournalSegment,
  type QuarantinedFile,
  SegmentStore,
  type StoredSegment,
  type Tally,
} from './segment-store.ts';
import { appendSent, openSentLog, type SentRecord } from './sent-log.ts';

/** A file of a round, in `outbox/`. */
export interface RoundFile {
  readonly id: string;
  readonly path: string;
  readonly sizeBytes: number;
}

/** A file that a limit or an exemption deleted; the ledger records it. */
export interface DroppedFile {
  readonly id: string;
  readonly stage: 'journal' | 'sealed' | 'outbox' | 'sent' | 'quarantine';
  readonly sizeBytes: number;
  /** `null` where it is no longer known. */
  readonly events: number | null;
  readonly cause: Surplus['cause'];
}

/** A journal that waits for a process with its key. */
export interface EncryptedJournal {
  readonly path: string;
  /** A dead process left it open. */
  readonly isCrashed: boolean;
  /** `""` when its header cannot be read. */
  readonly receiptId: string;
}

type OpenJournal = Journal & { readonly id: string; readonly startWallMs: number };

export interface SpoolStats {
  /** All segments on this disk but those in quarantine. */
  readonly segments: number;
  /** All segment files, quarantine included: what the limit counts. */
  readonly bytes: number;
  /** Start of the oldest segment that was not sent yet; `null` when there is none. Milliseconds since the epoch. */
  readonly oldestWallMs: number | null;
  readonly quarantined: Tally;
  /** Sealed and in a round: what is still to be sent. */
  readonly queued: Tally;
  /** Closed journals that wait for sealing. */
  readonly waiting: Tally;
  /** All that was ever sent, as `sent.jsonl` has it. */
  readonly sentEver: Tally;
}

/**
 * The segments on disk, under a state folder that this process has locked. `recover` comes first.
 *
 * Everything is synchronous. Per flush that is one write and one `fdatasync` of some kilobytes, which is cheaper than
 * waking the thread pool for it, and no two operations can interleave: the order of the steps is the order of the
 * lines. What is slow, sealing a large journal, is computation and would block as well.
 */
export class Spool {
  readonly #store: SegmentStore;
  #open: OpenJournal | null = null;
  /** Closed journals with part of a refused append at their end, which must not be taken for recorded. */
  readonly #torn: OpenJournal[] = [];
  #sentLog: AppendFile | null = null;
  #sentEver: Tally = { segments: 0, bytes: 0 };
  #offered: Map<string, string> = new Map();

  constructor(stateDir: string, files: FileSystem = fileSystemNode) {
    this.#store = new SegmentStore(stateDir, files);
  }

  /** Creates the folders and brings them into order; see {@link recoverStore}. Seals every journal that it finds. */
  recover(): RecoveryReport {
    const { stateDir, files } = this.#store;
    ensureStages(stateDir, files);
    this.#sentLog = openSentLog(stateDir, files);
    const report = recoverStore(this.#store);
    this.#sentEver = report.sentEver;
    this.#offered = readOffered(stateDir, files);
    return report;
  }

  /** Begins the journal of a new segment, durably; with a key its frames are encrypted. One is open at a time. */
  open(header: SegmentHeader, key: JournalKey | null = null): void {
    if (this.#open !== null) throw misuse('close the open segment before another is opened');
    if (this.#store.get(header.segmentId) !== undefined) throw misuse('a segment of this id exists');
    // What was refused is about to be written again: the part of it that stands elsewhere has to go first.
    this.#cutTorn();
    const journal = createJournal(this.#store.stateDir, header, key, this.#store.files);
    this.#open = { ...journal, id: header.segmentId, startWallMs: header.startWallMs };
    this.#putJournal(this.#open, 'open');
  }

  /** The open segment, `null` when none is. */
  get openSegment(): { readonly id: string; readonly sizeBytes: number } | null {
    return this.#open === null ? null : { id: this.#open.id, sizeBytes: this.#open.file.sizeBytes };
  }

  /**
   * Adds frames to the open journal, all or none; they survive the end of this process at once and a power cut after
   * {@link sync}. A full or failing disk is a retryable {@link TelemetryError}.
   */
  append(...frames: readonly Uint8Array[]): void {
    const open = this.#mustBeOpen();
    const { file, sealer } = open;
    file.append(...(sealer === null ? frames : frames.map((frame) => sealer.seal(frame))));
    this.#putJournal(open, 'open');
  }

  /** Makes what was appended durable. When it throws, close this segment: see {@link AppendFile.sync}. */
  sync(): void {
    this.#mustBeOpen().file.sync();
  }

  /**
   * Ends the open journal, durably; {@link seal} may come at any time later. Returns its id, `null` when none is open.
   * It is closed even when the disk refuses to sync or rename it, which then throws.
   */
  close(): string | null {
    const open = this.#open;
    if (open === null) return null;
    this.#open = null;
    try {
      open.file.sync();
    } finally {
      // Under its old name it is taken for one that a dead process left, which loses nothing.
      this.#putJournal(open, 'crashed');
      if (open.file.hasTornTail) this.#torn.push(open);
      open.file.close();
      moveFile(
        open.file.path,
        segmentPath(this.#store.stateDir, 'journal', open.id, 'closed'),
        this.#store.files,
      );
      this.#putJournal(open, 'closed');
    }
    return open.id;
  }

  /** Closed journals that wait for {@link seal}, oldest first. */
  waiting(): string[] {
    return [...this.#store.all()]
      .flatMap((found) => (found.stage === 'journal' && found.state !== 'open' ? [found.id] : []))
      .sort();
  }

  /** What a process that has the key of a waiting journal needs to seal it; `null` when it is not encrypted. */
  encryptedJournal(id: string): EncryptedJournal | null {
    const journal = this.#store.get(id);
    if (journal?.stage !== 'journal' || !journal.isEncrypted) return null;
    this.#cutTorn();
    const path = this.#store.pathOf(journal);
    return { path, isCrashed: journal.state === 'crashed', receiptId: receiptOf(path, this.#store.files) };
  }

  /** Takes over what such a process made of a journal; it has written the files already. */
  sealedByOther(id: string, result: SealResult): SealResult {
    return takeSealed(this.#store, this.#waitingJournal(id), result);
  }

  /** Nobody here has the key of an encrypted journal any more: it is kept, and sent, as it is. */
  keepEncrypted(id: string): SealResult {
    return keepEncrypted(this.#store, this.#waitingJournal(id));
  }

  /** Seals a closed journal; durable when it returns. A disk that refuses throws, and the journal goes on waiting. */
  seal(id: string, effort: SealEffort = 'quick'): SealResult {
    const journal = this.#waitingJournal(id);
    if (journal.isEncrypted) throw misuse('an encrypted journal is sealed by a process that has its key');
    return sealJournal(this.#store, journal, effort);
  }

  /** Sealed segments that wait to be sent, oldest first. */
  sealedSegments(): SealedFacts[] {
    return [...this.#store.all()]
      .flatMap((found) => (found.stage === 'sealed' ? [found.facts] : []))
      .sort((a, b) => a.lastEventWallMs - b.lastEventWallMs);
  }

  /**
   * Puts sealed segments into `outbox/` for a round to `destination`; those that are not (or no longer) sealed are left
   * out. That they may arrive there is on disk first.
   */
  takeForRound(ids: readonly string[], destination: string): RoundFile[] {
    for (const id of this.#offered.keys()) if (!isUnsent(this.#store.get(id))) this.#offered.delete(id);
    for (const id of ids) this.#offered.set(id, destination);
    if (ids.length > 0) writeOffered(this.#store.stateDir, this.#offered, this.#store.files);
    return ids.flatMap((id) => {
      const found = this.#store.get(id);
      if (found?.stage !== 'sealed') return [];
      const taken = { ...found, stage: 'outbox' } as const;
      if (!this.#store.move(found, taken)) return [];
      return [{ id, path: this.#store.pathOf(taken), sizeBytes: taken.sizeBytes }];
    });
  }

  /**
   * Ends a round: what is left in `outbox/` goes back to `sealed/`. Returns its ids. What the disk does not let go stays
   * for the next time, and then this throws.
   */
  returnFromOutbox(): string[] {
    const left = [...this.#store.all()].flatMap((found) => (found.stage === 'outbox' ? [found] : []));
    let refusal: DiskError | null = null;
    for (const found of left) {
      try {
        this.#store.move(found, { ...found, stage: 'sealed' });
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
        refusal ??= error;
      }
    }
    if (refusal !== null) throw refusal;
    return left.map((found) => found.id);
  }

  /**
   * Records that a segment was stored, durably, then keeps its file in `sent/`. A segment that is recorded already is
   * left alone (`false`); one whose file is gone by now is recorded all the same, because its bytes did leave.
   */
  markSent(id: string, sent: Omit<SentRecord, 'id'>): boolean {
    const found = this.#store.get(id);
    if (found?.stage === 'sent') return false;
    if (found?.stage === 'journal') throw misuse('a segment must be sealed before it is sent');
    if (!isUuid(id)) throw misuse('a segment id must be a UUID');
    if (this.#sentLog === null) throw misuse('recover the spool first');
    const before = this.#sentLog.sizeBytes;
    let refusal: DiskError | null = null;
    try {
      appendSent(this.#sentLog, { id, ...sent, ...timesOf(found) });
    } catch (error) {
      if (!(error instanceof DiskError) || this.#sentLog.sizeBytes === before) throw error;
      // It stands in the log, though perhaps not after a power cut: a second record would count it twice.
      refusal = error;
    }
    this.#sentEver = {
      segments: this.#sentEver.segments + 1,
      bytes: this.#sentEver.bytes + sent.bytes,
    };
    if (found !== undefined) {
      const { sizeBytes, isAge } = found;
      this.#store.move(found, { stage: 'sent', id, sizeBytes, sentAtWallMs: sent.atWallMs, isAge });
      removeFacts(this.#store.stateDir, id, this.#store.files);
    }
    if (refusal !== null) throw refusal;
    return true;
  }

  /** All segments there are, and the files in quarantine, as of now. */
  contents(): { readonly segments: StoredSegment[]; readonly quarantined: QuarantinedFile[] } {
    return { segments: [...this.#store.all()], quarantined: [...this.#store.quarantined()] };
  }

  /** Where an unsent segment may have arrived though nobody confirmed it; `undefined` when it was never given away. */
  offeredTo(id: string): string | undefined {
    return this.#offered.get(id);
  }

  pathOf(segment: StoredSegment): string {
    return this.#store.pathOf(segment);
  }

  /** Deletes a segment in whatever stage but an open journal; nothing happens when there is none. */
  discard(id: string): void {
    const found = this.#store.get(id);
    if (found !== undefined && id !== this.#open?.id) this.#store.remove(found);
  }

  /** Deletes a file in quarantine. */
  discardQuarantined(file: QuarantinedFile): void {
    this.#store.removeQuarantined(file);
  }

  /** A cut of a segment stands in `sealed/`, with its facts where it is encrypted: the segment itself goes. */
  adoptCut(id: string, facts: SealedFacts, isAge: boolean): void {
    const found = this.#store.get(id);
    // A journal and what is left of it have one id, and the facts of that are not to be removed.
    if (found?.stage === 'journal' && facts.id === id)
      removeFile(this.#store.pathOf(found), this.#store.files);
    else this.discard(id);
    this.#store.put({ stage: 'sealed', id: facts.id, sizeBytes: facts.sizeBytes, facts, isAge });
  }

  /** Sets a segment aside that nobody can take; `false` when there is none of this id that is closed. */
  quarantine(id: string): boolean {
    const found = this.#store.get(id);
    if (found === undefined || id === this.#open?.id) return false;
    this.#store.moveToQuarantine(id, this.#store.pathOf(found));
    return true;
  }

  /**
   * Deletes what the limits want gone, for good; see {@link findSurplus}. Returns it, for the ledger. What the disk does
   * not let go stays and is tried again the next time; when that is all of it, this throws.
   */
  enforceLimits(limits: SpoolLimits, nowWallMs: number): DroppedFile[] {
    const dropped: DroppedFile[] = [];
    const refusals: DiskError[] = [];
    const attempt = (act: () => void): void => {
      try {
        act();
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
        refusals.push(error);
      }
    };
    for (const surplus of findSurplus(this.#store, limits, nowWallMs))
      attempt(() => dropped.push(this.#drop(surplus)));
    // A power cut must not bring them back, under any of the names that they have had.
    if (dropped.length > 0) for (const stage of STAGES) attempt(() => this.#store.syncStage(stage));
    const [refusal] = refusals;
    if (refusal !== undefined && dropped.length === 0) throw refusal;
    return dropped;
  }

  #drop(surplus: Surplus): DroppedFile {
    const { cause } = surplus;
    if (surplus.kind === 'quarantined') {
      const { id, sizeBytes } = surplus.file;
      this.#store.removeQuarantined(surplus.file);
      return { id, stage: 'quarantine', sizeBytes, events: null, cause };
    }
    const { segment } = surplus;
    const { id, stage, sizeBytes } = segment;
    this.#store.remove(segment);
    return { id, stage, sizeBytes, events: 'facts' in segment ? segment.facts.events : null, cause };
  }

  /**
   * Deletes every segment that was not sent and of which `covers` says so; the open one must be closed first. Those that
   * `isBusy` is with are left, and counted in `left`.
   */
  deleteCovered(
    covers: (span: RecordedSpan) => boolean,
    isBusy: (id: string) => boolean,
  ): { readonly dropped: readonly DroppedFile[]; readonly left: number } {
    const store = this.#store;
    const dropped: DroppedFile[] = [];
    let left = 0;
    for (const segment of [...store.all()]) {
      if (segment.stage === 'sent' || !covers(spanOf(store, segment))) continue;
      if (segment.id === this.#open?.id || isBusy(segment.id)) left++;
      else dropped.push(this.#drop({ kind: 'segment', segment, cause: 'exemption' }));
    }
    for (const file of [...store.quarantined()]) {
      if (covers(spanOfQuarantined(file)))
        dropped.push(this.#drop({ kind: 'quarantined', file, cause: 'exemption' }));
    }
    // A power cut must not bring them back.
    if (dropped.length > 0) for (const stage of STAGES) store.syncStage(stage);
    return { dropped, left };
  }

  /** Deletes an unsent segment that the collector says is to be gone; `null` when there is none of this id. */
  deleteErased(id: string): DroppedFile | null {
    const segment = this.#store.get(id);
    return segment === undefined || !isUnsent(segment)
      ? null
      : this.#drop({ kind: 'segment', segment, cause: 'collector' });
  }

  /** Counted in memory; reads no disk. */
  stats(): SpoolStats {
    const store = this.#store;
    const [journal, sealed, outbox, sent] = [
      store.tally('journal'),
      store.tally('sealed'),
      store.tally('outbox'),
      store.tally('sent'),
    ];
    const openSegments = this.#open === null ? 0 : 1;
    return {
      segments: journal.segments + sealed.segments + outbox.segments + sent.segments,
      bytes: totalBytes(store),
      oldestWallMs: this.#oldestWallMs(),
      quarantined: store.tally('quarantine'),
      queued: { segments: sealed.segments + outbox.segments, bytes: sealed.bytes + outbox.bytes },
      waiting: {
        segments: journal.segments - openSegments,
        bytes: journal.bytes - (this.#open?.file.sizeBytes ?? 0),
      },
      sentEver: this.#sentEver,
    };
  }

  /** Lets go of all files; the open segment is closed first. Idempotent. */
  stop(): void {
    try {
      this.close();
    } finally {
      this.#sentLog?.close();
      this.#sentLog = null;
    }
  }

  #oldestWallMs(): number | null {
    let oldest = Infinity;
    for (const found of this.#store.all()) {
      if (found.stage === 'sent') continue;
      const startWallMs = found.stage === 'journal' ? found.startWallMs : found.facts.startWallMs;
      oldest = Math.min(oldest, startWallMs ?? Infinity);
    }
    return oldest === Infinity ? null : oldest;
  }

  #putJournal({ id, file, startWallMs, sealer }: OpenJournal, state: JournalSegment['state']): void {
    const { sizeBytes } = file;
    this.#store.put({ stage: 'journal', id, sizeBytes, state, startWallMs, isEncrypted: sealer !== null });
  }

  #cutTorn(): void {
    for (let torn = this.#torn[0]; torn !== undefined; torn = this.#torn[0]) {
      const journal = this.#store.get(torn.id);
      if (journal?.stage === 'journal')
        cutJournal(this.#store.pathOf(journal), torn.file.sizeBytes, this.#store.files);
      this.#torn.shift();
    }
  }

  #waitingJournal(id: string): JournalSegment {
    this.#cutTorn();
    const journal = this.#store.get(id);
    if (journal?.stage !== 'journal' || journal.state === 'open')
      throw misuse('no closed journal has this id');
    return journal;
  }

  #mustBeOpen(): OpenJournal {
    if (this.#open === null) throw misuse('no segment is open');
    return this.#open;
  }
}

/** What a purge wants to know of a segment when its facts are gone. */
function timesOf(segment: StoredSegment | undefined): Partial<SentRecord> {
  if (segment?.stage !== 'sealed' && segment?.stage !== 'outbox') return {};
  const { receiptId, startWallMs, lastEventWallMs } = segment.facts;
  return { receiptId, startWallMs, lastEventWallMs };
}

function isUnsent(segment: StoredSegment | undefined): boolean {
  return segment?.stage === 'sealed' || segment?.stage === 'outbox';
}

/** A mistake of the calling code. */
function misuse(what: string): TelemetryError {
  return new TelemetryError('failed', `spool: ${what}`, { op: 'use spool' });
}
