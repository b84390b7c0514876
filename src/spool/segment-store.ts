import { join } from 'node:path';
import { diskError } from './disk-error.ts';
import { moveFile, removeFile, syncFolder } from './durable-file.ts';
import { removeFacts } from './facts-file.ts';
import type { FileSystem } from './file-system.ts';
import { fileSystemNode } from './file-system-node.ts';
import { type FoundFile, listStage, quarantinePath, type Stage, segmentPath } from './folders.ts';
import type { SealedFacts } from './sealed-file.ts';

export interface JournalSegment {
  readonly stage: 'journal';
  readonly id: string;
  readonly sizeBytes: number;
  /** `crashed`: a dead process left it open. */
  readonly state: 'open' | 'closed' | 'crashed';
  /** `null`: not known before it is sealed. */
  readonly startWallMs: number | null;
  /** Its frames are: only a process that has its key can seal it. */
  readonly isEncrypted: boolean;
}

export interface QueuedSegment {
  readonly stage: 'sealed' | 'outbox';
  readonly id: string;
  readonly sizeBytes: number;
  readonly facts: SealedFacts;
  /** An age file. */
  readonly isAge: boolean;
}

export interface SentSegment {
  readonly stage: 'sent';
  readonly id: string;
  readonly sizeBytes: number;
  readonly sentAtWallMs: number;
  readonly isAge: boolean;
}

/** A segment on disk, as remembered. */
export type StoredSegment = JournalSegment | QueuedSegment | SentSegment;

/** A file in quarantine; several may have one id. */
export type QuarantinedFile = Pick<FoundFile, 'id' | 'name' | 'path' | 'sizeBytes' | 'modifiedWallMs'>;

export interface Tally {
  readonly segments: number;
  readonly bytes: number;
}

type LiveStage = StoredSegment['stage'];

const NOTHING: Tally = { segments: 0, bytes: 0 };

/**
 * Which segments are where, in memory and on disk alike: every change goes through here, so that the folders are read
 * once, at the start. Knows nothing of rounds, limits or formats.
 */
export class SegmentStore {
  readonly stateDir: string;
  readonly files: FileSystem;
  readonly #segments = new Map<string, StoredSegment>();
  readonly #quarantined = new Map<string, QuarantinedFile>();
  readonly #tallies: Record<LiveStage | 'quarantine', Tally> = {
    journal: NOTHING,
    sealed: NOTHING,
    outbox: NOTHING,
    sent: NOTHING,
    quarantine: NOTHING,
  };

  constructor(stateDir: string, files: FileSystem = fileSystemNode) {
    this.stateDir = stateDir;
    this.files = files;
  }

  get(id: string): StoredSegment | undefined {
    return this.#segments.get(id);
  }

  all(): IterableIterator<StoredSegment> {
    return this.#segments.values();
  }

  quarantined(): IterableIterator<QuarantinedFile> {
    return this.#quarantined.values();
  }

  tally(stage: LiveStage | 'quarantine'): Tally {
    return this.#tallies[stage];
  }

  /** Remembers a segment whose file stands there; replaces what was remembered under its id. */
  put(segment: StoredSegment): void {
    this.forget(segment.id);
    this.#segments.set(segment.id, segment);
    this.#count(segment.stage, 1, segment.sizeBytes);
  }

  /** Forgets a segment; its file is the caller's business. */
  forget(id: string): void {
    const known = this.#segments.get(id);
    if (known === undefined) return;
    this.#segments.delete(id);
    this.#count(known.stage, -1, -known.sizeBytes);
  }

  pathOf(segment: StoredSegment): string {
    const { stateDir } = this;
    if (segment.stage === 'journal') {
      return segmentPath(stateDir, 'journal', segment.id, segment.state === 'closed' ? 'closed' : 'plain');
    }
    return segmentPath(stateDir, segment.stage, segment.id, segment.isAge ? 'age' : 'plain');
  }

  /** Renames a segment's file to where `next` says; `false` (and it is forgotten) when someone took it away. */
  move(segment: StoredSegment, next: StoredSegment): boolean {
    const isMoved = moveFile(this.pathOf(segment), this.pathOf(next), this.files);
    if (isMoved) this.put(next);
    else this.forget(segment.id);
    return isMoved;
  }

  /** Deletes a segment's file. Of a journal also what sealing has made of it before the disk refused the rest. */
  remove(segment: StoredSegment): void {
    if (segment.stage === 'journal') {
      for (const form of ['plain', 'age'] as const)
        removeFile(segmentPath(this.stateDir, 'sealed', segment.id, form), this.files);
    }
    removeFile(this.pathOf(segment), this.files);
    removeFacts(this.stateDir, segment.id, this.files);
    this.forget(segment.id);
  }

  /** Makes what was moved into, out of and deleted from a stage outlast a power cut. */
  syncStage(stage: Stage): void {
    const folder = join(this.stateDir, stage);
    try {
      syncFolder(folder, this.files);
    } catch (cause) {
      throw diskError('sync', folder, cause);
    }
  }

  /** Moves a file to quarantine, beside any that is there under the same id. */
  moveToQuarantine(id: string, path: string): void {
    let copy = 1;
    const isAge = path.endsWith('.age');
    const taken = new Set([...this.#quarantined.values()].map((file) => file.path));
    while (taken.has(quarantinePath(this.stateDir, id, copy, isAge))) copy++;
    moveFile(path, quarantinePath(this.stateDir, id, copy, isAge), this.files);
    removeFacts(this.stateDir, id, this.files);
    this.forget(id);
    this.loadQuarantine();
  }

  removeQuarantined(file: QuarantinedFile): void {
    removeFile(file.path, this.files);
    this.#quarantined.delete(file.name);
    this.#count('quarantine', -1, -file.sizeBytes);
  }

  /** Reads the quarantine folder; it is small and changes rarely. */
  loadQuarantine(): void {
    this.#quarantined.clear();
    this.#tallies.quarantine = NOTHING;
    for (const file of listStage(this.stateDir, 'quarantine', this.files)) {
      this.#quarantined.set(file.name, file);
      this.#count('quarantine', 1, file.sizeBytes);
    }
  }

  #count(stage: LiveStage | 'quarantine', segments: number, bytes: number): void {
    const before = this.#tallies[stage];
    this.#tallies[stage] = { segments: before.segments + segments, bytes: before.bytes + bytes };
  }
}
