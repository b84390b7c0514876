import { messageOf, TelemetryError } from '../core/errors.ts';
import { type SealEffort, sealSegment } from '../segment/seal.ts';
import { removeFile } from './durable-file.ts';
import { writeFacts } from './facts-file.ts';
import { segmentPath } from './folders.ts';
import { endCrashedJournal, isWorthKeeping, outlineOf, readJournal } from './journal-file.ts';
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
 * A larger journal is sealed quickly whatever the effort: this process has other things to do, and at 1 to 3 µs an event
 * the 60,000 to 120,000 events of this size keep it from them for a fifth of a second.
 */
const MOST_EFFORT_BYTES = 192 * 1024;

/**
 * Makes the sealed file of a closed or crashed journal, durable, then removes the journal. Killed anywhere between, the
 * next start finds either the journal alone or a whole sealed file, whose id makes it drop the journal. When the disk
 * refuses, the journal stays as it is and a {@link TelemetryError} says so.
 */
export function sealJournal(
  store: SegmentStore,
  journal: JournalSegment,
  effort: SealEffort = 'quick',
): SealResult {
  const { id } = journal;
  const path = store.pathOf(journal);
  const bytes = readJournal(path, store.files);
  // A process was killed between creating the file and writing its header.
  if (bytes.length === 0) return removeEmpty(store, journal);
  let sealed: Uint8Array;
  let facts: SealedFacts;
  try {
    const whole = journal.state === 'crashed' ? endCrashedJournal(bytes) : bytes;
    sealed = sealSegment(whole, bytes.length <= MOST_EFFORT_BYTES ? effort : 'quick').bytes;
    facts = sealedFacts(sealed);
    if (facts.events === 0 && !isWorthKeeping(bytes)) return removeEmpty(store, journal);
    if (facts.id !== id) throw new TelemetryError('bad-segment', 'its id is not the one of its name');
  } catch (error) {
    if (!(error instanceof TelemetryError) || error.code !== 'bad-segment') throw error;
    store.moveToQuarantine(id, path);
    return { kind: 'quarantined', id, why: messageOf(error) };
  }
  writeSealed(segmentPath(store.stateDir, 'sealed', id), sealed, store.files);
  removeFile(path, store.files);
  store.put({ stage: 'sealed', id, sizeBytes: facts.sizeBytes, facts, isAge: false });
  return { kind: 'sealed', facts };
}

/** Takes over what a process with the key made of a journal. What it could not read is quarantined here. */
export function takeSealed(store: SegmentStore, journal: JournalSegment, result: SealResult): SealResult {
  const { id } = journal;
  switch (result.kind) {
    case 'sealed':
      removeFile(store.pathOf(journal), store.files);
      store.put({ stage: 'sealed', id, sizeBytes: result.facts.sizeBytes, facts: result.facts, isAge: true });
      return result;
    case 'empty':
      return removeEmpty(store, journal);
    case 'quarantined':
      store.moveToQuarantine(id, store.pathOf(journal));
      return result;
  }
}

/**
 * An encrypted journal whose key is gone (the machine was restarted) becomes the segment itself, cut to its whole
 * frames: whoever the key was wrapped for can open it. One without frames holds nothing.
 */
export function keepEncrypted(store: SegmentStore, journal: JournalSegment): SealResult {
  const { id } = journal;
  const path = store.pathOf(journal);
  try {
    const bytes = readJournal(path, store.files);
    const { header, frames, endOffset } = outlineOf(bytes);
    if (frames === 0) return removeEmpty(store, journal);
    if (header.segmentId !== id) throw new TelemetryError('bad-segment', 'its id is not the one of its name');
    const { sequence, receiptId, backend, startWallMs } = header;
    // Its last block was written soon after its last event.
    const lastEventWallMs = Math.max(
      startWallMs,
      Math.round(store.files.lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0),
    );
    const facts = {
      id,
      sizeBytes: endOffset,
      sequence,
      events: null,
      receiptId,
      backend,
      startWallMs,
      lastEventWallMs,
    };
    writeFacts(store.stateDir, facts, store.files);
    writeSealed(segmentPath(store.stateDir, 'sealed', id), bytes.subarray(0, endOffset), store.files);
    removeFile(path, store.files);
    store.put({ stage: 'sealed', id, sizeBytes: endOffset, facts, isAge: false });
    return { kind: 'sealed', facts };
  } catch (error) {
    if (!(error instanceof TelemetryError) || error.code !== 'bad-segment') throw error;
    store.moveToQuarantine(id, path);
    return { kind: 'quarantined', id, why: messageOf(error) };
  }
}

function removeEmpty(store: SegmentStore, journal: JournalSegment): SealResult {
  store.remove(journal);
  return { kind: 'empty', id: journal.id };
}
