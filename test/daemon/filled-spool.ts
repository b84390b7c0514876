import { onTestFinished } from 'vitest';
import type { SegmentHeader } from '../../src/segment/types.ts';
import type { FileSystem } from '../../src/spool/file-system.ts';
import { Spool } from '../../src/spool/spool.ts';
import { movesBlock, sampleHeader, segmentId } from '../spool/samples.ts';

/** An empty spool in a folder, closed after the test. */
export function openSpool(stateDir: string, files?: FileSystem): Spool {
  const spool = new Spool(stateDir, files);
  spool.recover();
  onTestFinished(() => spool.stop());
  return spool;
}

/** Adds the n-th closed journal; its header may differ from the sample's. */
export function addClosed(spool: Spool, n: number, events = 20, header: Partial<SegmentHeader> = {}): string {
  spool.open({ ...sampleHeader(n), ...header });
  if (events > 0) spool.append(movesBlock(n, events));
  spool.close();
  return segmentId(n);
}

/** Adds the n-th sealed segment. */
export function addSealed(spool: Spool, n: number, events = 20, header: Partial<SegmentHeader> = {}): string {
  const id = addClosed(spool, n, events, header);
  spool.seal(id);
  return id;
}
