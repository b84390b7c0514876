import { TelemetryError } from '../../core/errors.ts';
import { encryptFor } from '../../segment/age-file.ts';
import { cutSegment } from '../../segment/cut.ts';
import { isEncryptedSegment, openSegment } from '../../segment/open-segment.ts';
import { readSegment } from '../../segment/read.ts';
import { sealDecoded } from '../../segment/seal.ts';
import { openJournal } from '../../segment/sealed-frames.ts';
import type { Segment } from '../../segment/types.ts';
import { readPlainFile, writeDurably } from '../durable-file.ts';
import { type SealedFacts, sealedFacts } from '../sealed-file.ts';
import type { CutResult } from './cut-result.ts';

/** What is to be cut, and how what is left is to be kept. */
export interface CutOrder {
  readonly path: string;
  readonly newId: string;
  readonly fromWallMs: number;
  readonly identities: readonly string[];
  /** The key of an encrypted journal, where there is one; else the identities open it too. */
  readonly journalKey: Uint8Array | null;
  /** Who may open what is left, by the receipt it was recorded under; `null` when it is not to be encrypted. */
  readonly recipientsOf: (receiptId: string) => readonly string[] | null;
  /** Where what is left goes, encrypted or not; called with its facts before the file is written there. */
  readonly place: (facts: SealedFacts, isAge: boolean) => string;
}

/**
 * Makes a new sealed file of what a segment file, sealed or still a journal, holds from before a time. The file itself
 * stays; killed anywhere, the same order makes the same again.
 */
export async function cutFile(order: CutOrder): Promise<CutResult> {
  const bytes = readPlainFile(order.path);
  if (bytes === undefined || bytes.length === 0) return { kind: 'closed' };
  let opened: Segment;
  const isEncrypted = isEncryptedSegment(bytes);
  try {
    opened =
      order.journalKey === null
        ? await openSegment(bytes, { identities: order.identities })
        : readSegment(openJournal(bytes, order.journalKey).journal);
  } catch (error) {
    if (error instanceof TelemetryError && isClosed(error.code)) return { kind: 'closed' };
    throw error;
  }
  const { segment, removed } = cutSegment(opened, [
    { fromWallMs: order.fromWallMs, untilWallMs: Number.POSITIVE_INFINITY },
  ]);
  if (removed === 0) return { kind: 'untouched' };
  if (segment.columns.count === 0) return { kind: 'emptied', removed };
  const recipients = isEncrypted ? order.recipientsOf(segment.header.receiptId) : null;
  if (recipients?.length === 0) return { kind: 'closed' };
  const header = { ...segment.header, segmentId: order.newId };
  const sealed = sealDecoded({ ...segment, header }, 'quick').bytes;
  const file = recipients === null ? sealed : await encryptFor(recipients, sealed);
  const facts = { ...sealedFacts(sealed), sizeBytes: file.length };
  const isAge = recipients !== null;
  writeDurably(order.place(facts, isAge), file);
  return { kind: 'cut', removed, facts, isAge };
}

function isClosed(code: TelemetryError['code']): boolean {
  return code === 'not-permitted' || code === 'bad-segment';
}
