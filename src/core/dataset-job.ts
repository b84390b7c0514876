/** One segment to be made into tables: a line of JSON on the standard input of `dataset-writer`. */
export interface DatasetJob {
  /** The file as it is kept, encrypted or not. */
  readonly path: string;
  /** Whose it is said to be, and what it is said to be. */
  readonly device: string;
  readonly segment: string;
  /** Hex SHA-256 of the file. */
  readonly sha256: string;
  /** A folder of ours, in which one table a day is made. */
  readonly into: string;
}

/** A table of one segment's events of one day. */
export interface DayTable {
  /** `2026-11-26`, UTC. */
  readonly day: string;
  /** The name in {@link DatasetJob.into}. */
  readonly name: string;
  readonly events: number;
  readonly sizeBytes: number;
  /** Hex SHA-256 of the table. */
  readonly sha256: string;
}

/** What became of a job: the line that answers it. A segment without events has no table. */
export type DatasetAnswer =
  | { readonly kind: 'written'; readonly tables: readonly DayTable[] }
  /** `closed`: for other identities; `bad`: damaged, or another segment than it is said to be. */
  | { readonly kind: 'closed' | 'bad'; readonly why: string };
