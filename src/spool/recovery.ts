import { join } from 'node:path';
import { messageOf, TelemetryError } from '../core/errors.ts';
import { moveFile, removeFile, removeTempFiles } from './durable-file.ts';
import { factsId, readFacts, removeFacts } from './facts-file.ts';
import { type FoundFile, listStage, STAGES, segmentPath } from './folders.ts';
import { isEncryptedJournal } from './journal-file.ts';
import { readSealedFacts, type SealedFacts } from './sealed-file.ts';
import { sealJournal } from './sealing.ts';
import type { SegmentStore, Tally } from './segment-store.ts';
import { readSent } from './sent-log.ts';

/** What a start found and did; ids of segments. */
export interface RecoveryReport {
  /** Journals that were sealed now, the ones a crash had left open included. */
  readonly sealed: readonly SealedFacts[];
  /** Journals without anything in them. */
  readonly empty: readonly string[];
  readonly quarantined: readonly { readonly id: string; readonly why: string }[];
  /** What was left of segments that are sealed, sent or refused already. */
  readonly duplicates: readonly string[];
  /** Of an interrupted round, back in `sealed/`. */
  readonly returned: readonly string[];
  /** Of an interrupted round, recorded as stored. */
  readonly confirmed: readonly string[];
  readonly tempFiles: number;
  /** Files that the disk would not let us read, move or seal; they stay and are tried again at the next start. */
  readonly problems: readonly string[];
  /** All that was ever sent. */
  readonly sentEver: Tally;
}

/**
 * Brings the folders into order after whatever ended the last process, and fills the store from them. Every step can
 * be interrupted and repeated. One bad file never keeps the others back.
 */
export function recoverStore(store: SegmentStore): RecoveryReport {
  return new Recovery(store).run();
}

class Recovery {
  readonly #store: SegmentStore;
  readonly #sentAt = new Map<string, number>();
  readonly #sealed: SealedFacts[] = [];
  readonly #empty: string[] = [];
  readonly #quarantined: { id: string; why: string }[] = [];
  readonly #duplicates: string[] = [];
  readonly #returned: string[] = [];
  readonly #confirmed: string[] = [];
  readonly #problems: string[] = [];

  constructor(store: SegmentStore) {
    this.#store = store;
  }

  run(): RecoveryReport {
    const { stateDir, files } = this.#store;
    let tempFiles = removeTempFiles(stateDir, files);
    for (const stage of STAGES) tempFiles += removeTempFiles(join(stateDir, stage), files);
    this.#store.loadQuarantine();
    const sentEver = this.#readSentLog();
    this.#eachFile('sent', (file) => this.#putSent(file));
    this.#eachFile('outbox', (file) => this.#emptyOutbox(file));
    this.#eachFile('sealed', (file) => this.#checkSealed(file));
    this.#eachFile('journal', (file) => this.#endJournal(file));
    this.#removeOrphanFacts();
    return {
      sealed: this.#sealed,
      empty: this.#empty,
      quarantined: this.#quarantined,
      duplicates: this.#duplicates,
      returned: this.#returned,
      confirmed: this.#confirmed,
      tempFiles,
      problems: this.#problems,
      sentEver,
    };
  }

  #eachFile(stage: (typeof STAGES)[number], act: (file: FoundFile) => void): void {
    for (const file of listStage(this.#store.stateDir, stage, this.#store.files)) {
      try {
        act(file);
      } catch (error) {
        this.#problems.push(messageOf(error));
      }
    }
  }

  /** Of a process that was killed after it wrote them and before the segment appeared. */
  #removeOrphanFacts(): void {
    const { stateDir, files } = this.#store;
    for (const name of files.readdirSync(join(stateDir, 'sealed'))) {
      const id = factsId(name);
      if (id !== undefined && this.#store.get(id)?.stage !== 'sealed') removeFacts(stateDir, id, files);
    }
  }

  /** Adds up the log and remembers it for the files that still exist only: it holds years. */
  #readSentLog(): Tally {
    const { stateDir, files } = this.#store;
    const existing = new Set(
      STAGES.flatMap((stage) => listStage(stateDir, stage, files).map((file) => file.id)),
    );
    let segments = 0;
    let bytes = 0;
    for (const record of readSent(stateDir, files)) {
      segments++;
      bytes += record.bytes;
      if (existing.has(record.id)) this.#sentAt.set(record.id, record.atWallMs);
    }
    return { segments, bytes };
  }

  #putSent({ id, sizeBytes, modifiedWallMs, form }: FoundFile): void {
    const sentAtWallMs = this.#sentAt.get(id) ?? modifiedWallMs;
    this.#sentAt.set(id, sentAtWallMs);
    this.#store.put({ stage: 'sent', id, sizeBytes, sentAtWallMs, isAge: form === 'age' });
  }

  #emptyOutbox(file: FoundFile): void {
    if (this.#moveIfSent(file)) return;
    moveFile(file.path, segmentPath(this.#store.stateDir, 'sealed', file.id, file.form), this.#store.files);
    this.#returned.push(file.id);
  }

  #moveIfSent(file: FoundFile): boolean {
    if (!this.#sentAt.has(file.id)) return false;
    moveFile(file.path, segmentPath(this.#store.stateDir, 'sent', file.id, file.form), this.#store.files);
    removeFacts(this.#store.stateDir, file.id, this.#store.files);
    this.#putSent(file);
    this.#confirmed.push(file.id);
    return true;
  }

  #checkSealed(file: FoundFile): void {
    if (this.#moveIfSent(file)) return;
    const { id, path, sizeBytes, form } = file;
    const { stateDir, files } = this.#store;
    if (this.#isRefused(id, sizeBytes)) {
      removeFile(path, files);
      removeFacts(stateDir, id, files);
      this.#duplicates.push(id);
      return;
    }
    try {
      const isAge = form === 'age';
      const facts =
        isAge || isEncryptedJournal(path, files)
          ? readFacts(stateDir, id, files)
          : readSealedFacts(path, files);
      if (facts.id !== id) throw new TelemetryError('bad-segment', 'its id is not the one of its name');
      this.#store.put({ stage: 'sealed', id, sizeBytes, facts, isAge });
    } catch (error) {
      if (!(error instanceof TelemetryError) || error.code !== 'bad-segment') throw error;
      this.#store.moveToQuarantine(id, path);
      this.#quarantined.push({ id, why: messageOf(error) });
    }
  }

  #endJournal({ id, path, sizeBytes, form }: FoundFile): void {
    const known = this.#store.get(id);
    const isSealed = this.#sentAt.has(id) || (known !== undefined && known.stage !== 'journal');
    if (isSealed || this.#isRefused(id, sizeBytes)) {
      removeFile(path, this.#store.files);
      this.#duplicates.push(id);
      return;
    }
    const isEncrypted = isEncryptedJournal(path, this.#store.files);
    const state = form === 'closed' ? 'closed' : 'crashed';
    const journal = { stage: 'journal', id, sizeBytes, state, startWallMs: null, isEncrypted } as const;
    this.#store.put(journal);
    // Whoever has its key, or knows that nobody has it any more, goes on with it.
    if (isEncrypted) return;
    const result = sealJournal(this.#store, journal);
    if (result.kind === 'sealed') this.#sealed.push(result.facts);
    else if (result.kind === 'empty') this.#empty.push(id);
    else this.#quarantined.push({ id, why: result.why });
  }

  /**
   * Whether the collector refused a segment of which a power cut has brought back a file that was moved or removed before.
   * What is in quarantine because it could not be read is no reason to give up another file of it.
   */
  #isRefused(id: string, fileBytes: number): boolean {
    const { files } = this.#store;
    return [...this.#store.quarantined()].some(({ id: other, path, sizeBytes }) => {
      if (other !== id) return false;
      if (path.endsWith('.age')) return true;
      if (isEncryptedJournal(path, files)) return sizeBytes === fileBytes;
      try {
        return readSealedFacts(path, files).id === id;
      } catch {
        return false;
      }
    });
  }
}
