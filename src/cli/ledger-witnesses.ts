import { messageOf, TelemetryError } from '../core/errors.ts';
import { decodeReceipts } from '../privacy/consent-file.ts';
import { listSegments } from '../spool/list-segments.ts';
import type { CliIo } from './io.ts';
import { SegmentOpener } from './segment-file.ts';
import { decoded } from './state-files.ts';

/** Who kept heads of the ledger's chain outside of it. */
export interface Witnesses {
  /** By head: who has it, in words. */
  readonly heads: ReadonlyMap<string, readonly string[]>;
  readonly segments: number;
  readonly receipts: number;
  /** Files that could not be opened to see. */
  readonly unread: readonly { readonly path: string; readonly why: string }[];
}

/** Reads the heads in all segments on this device, sent ones too, and in the receipts of consent. */
export async function collectWitnesses(
  io: CliIo,
  stateDir: string,
  identityFiles: readonly string[],
): Promise<Witnesses> {
  const heads = new Map<string, string[]>();
  const keep = (head: string | undefined, who: string): boolean => {
    if (head === undefined) return false;
    heads.set(head, [...(heads.get(head) ?? []), who]);
    return true;
  };
  let [segments, receipts] = [0, 0];
  for (const { id, ledgerHead } of decoded(stateDir, 'consent.json', decodeReceipts) ?? []) {
    if (keep(ledgerHead, `receipt ${id}`)) receipts++;
  }
  const unread: { path: string; why: string }[] = [];
  const opener = new SegmentOpener(io, identityFiles);
  await opener.prepare();
  for (const { id, path } of listSegments(stateDir)) {
    try {
      const { segment } = await opener.open(path);
      if (keep(segment.header.ledgerHead, `segment ${id}`)) segments++;
    } catch (error) {
      if (!(error instanceof TelemetryError)) throw error;
      unread.push({ path, why: messageOf(error) });
    }
  }
  return { heads, segments, receipts, unread };
}
