import { messageOf, TelemetryError } from '../core/errors.ts';
import { sealSegment } from '../segment/seal.ts';
import { removeFile } from './durable-file.ts';
import { segmentPath } from './folders.ts';
import { endCrashedJournal, isWorthKeeping, readJournal } from './journal-file.ts';
import { type SealedFacts, sealedFacts, writeSealed } from './sealed-file.ts';
import type { JournalSegment, SegmentStore } from './segment-store.ts';

/** What became of a journal that was to be sealed. */
export type SealResult =
  | { readonly kind: 'sealed'; readonly facts: SealedFacts }
  /** It held nothing worth keeping and is gone. */
  | { readonly kind: 'empty'; readonly id: string }
  /** It could not be read. */
  | { readonly kind: 'quarantined'; readonly id: string; readonly why: string };

/**
 * Makes the sealed file of a closed or crashed journal, durable, then removes the journal. Killed anywhere between, the
 * next start finds either the journal alone or a whole sealed file, whose id makes it drop the journal. When the disk
 * refuses, the journal stays as it is and a {@link TelemetryError} says so.
 */
export function sealJournal(store: SegmentStore, journal: JournalSegment): SealResult {
  const { id } = journal;
  const path = store.pathOf(journal);
  const bytes = readJournal(path);
  // A process was killed between creating the file and writing its header.
  if (bytes.length === 0) return removeEmpty(store, journal);
  let sealed: Uint8Array;
  let facts: SealedFacts;
  try {
    sealed = sealSegment(journal.state === 'crashed' ? endCrashedJournal(bytes) : bytes).bytes;
    facts = sealedFacts(sealed);
    if (facts.events === 0 && !isWorthKeeping(bytes)) return removeEmpty(store, journal);
    if (facts.id !== id) throw new TelemetryError('bad-segment', 'its id is not the one of its name');
  } catch (error) {
    if (!(error instanceof TelemetryError) || error.code !== 'bad-segment') throw error;
    store.moveToQuarantine(id, path);
    return { kind: 'quarantined', id, why: messageOf(error) };
  }
  writeSealed(segmentPath(store.stateDir, 'sealed', id), sealed);
  removeFile(path);
  store.put({ stage: 'sealed', id, sizeBytes: facts.sizeBytes, facts });
  return { kind: 'sealed', facts };
}

function removeEmpty(store: SegmentStore, journal: JournalSegment): SealResult {
  store.remove(journal);
  return { kind: 'empty', id: journal.id };
}
