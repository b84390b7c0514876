import { indexLines } from '../list-lines.ts';
import type { ObjectStore } from '../object-store.ts';
import type { ReaderBook } from '../reader-book.ts';
import type { SegmentKey } from '../segment-key.ts';
import type { UseBook } from '../use-book.ts';
import type { DatasetSource } from './dataset-source.ts';

/** What reading beside the collector stands on. */
export interface StoreReading {
  readonly use: UseBook;
  readonly readers: ReaderBook;
  readonly store: Pick<ObjectStore, 'read'>;
  /** As the access log has it: who reads. */
  readonly reader: string;
  readonly wallMs: () => number;
}

/** Reads where the collector keeps things, beside it or without it. The access log knows it all the same. */
export function datasetFromStore({ use, readers, store, reader, wallMs }: StoreReading): DatasetSource {
  return {
    async *index() {
      const nowMs = wallMs();
      await readers.note({ atMs: nowMs, reader, what: 'index', device: null, segment: null });
      yield* indexLines(use, { sinceMs: null, nowMs });
    },
    async read(key: SegmentKey) {
      // Asked again: it may have been withdrawn while the ones before it were read.
      if ((await use.findUsable(key, wallMs())) === null) return null;
      await readers.note({ atMs: wallMs(), reader, what: 'segment', ...key });
      return store.read(key);
    },
  };
}
