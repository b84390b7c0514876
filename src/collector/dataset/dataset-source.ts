import type { IndexLine } from '../index-lines.ts';
import type { SegmentKey } from '../segment-key.ts';

/** Where a dataset is made from. Each read is in the access log when it begins. */
export interface DatasetSource {
  /** What may be used now. */
  index(): AsyncIterable<IndexLine>;
  /** The bytes of a segment; `null`: it went away since it was listed. */
  read(key: SegmentKey): Promise<AsyncIterable<Uint8Array> | null>;
}
