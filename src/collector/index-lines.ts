/** `GET /v1/segments`, which gives these lines. */
export const INDEX_PATH = '/v1/segments';

/** Version of the lines below; fields and types are only ever added. */
export const INDEX_SCHEMA = 1;

/**
 * What may be trained on, a line of JSON each: `index` first, a device's segments by age and then the `device` itself,
 * device after device, `end` last. Without the `end` it was cut short.
 */
export type IndexLine = IndexStart | IndexSegment | IndexDevice | IndexEnd;

interface IndexStart {
  readonly type: 'index';
  readonly schema: typeof INDEX_SCHEMA;
  /** ISO 8601 UTC, as all times here. */
  readonly at: string;
  /** Only what was received from then on; `null`: everything. */
  readonly since: string | null;
}

/** A segment that may be trained on. */
export interface IndexSegment {
  readonly type: 'segment';
  readonly device: string;
  readonly segment: string;
  readonly sizeBytes: number;
  /** Hex SHA-256 of the file. */
  readonly sha256: string;
  readonly receivedAt: string;
  readonly expiresAt: string;
  /** Its number among the device's segments; `null`: its device did not say. */
  readonly sequence: number | null;
  /** The consent that it stands on. */
  readonly receipt: string;
}

/** What was listed of one device. */
export interface IndexDevice {
  readonly type: 'device';
  readonly device: string;
  readonly segments: number;
  readonly sizeBytes: number;
  readonly sequence: SequenceSummary;
}

/** The numbers of a device's segments, as far as its segments said them. */
export interface SequenceSummary {
  readonly first: number | null;
  readonly last: number | null;
  /** Ranges between the two, both ends included, of which nothing is listed: lost, erased, or not to be used. */
  readonly missing: readonly (readonly [number, number])[];
  /** Segments without a number: one of these may be one that is missing. */
  readonly unknown: number;
}

/** Everything was listed. */
export interface IndexEnd {
  readonly type: 'end';
  readonly devices: number;
  readonly segments: number;
  readonly sizeBytes: number;
}

/** Gathers the numbers of one device's segments. What is left of a purged segment has the number of the whole. */
export function summarizeSequence(numbers: readonly (number | null)[]): SequenceSummary {
  const known = [...new Set(numbers.filter((number) => number !== null))].sort((a, b) => a - b);
  const missing: [number, number][] = [];
  for (const [at, number] of known.entries()) {
    const before = known[at - 1];
    if (before !== undefined && number > before + 1) missing.push([before + 1, number - 1]);
  }
  const unknown = numbers.filter((number) => number === null).length;
  return { first: known[0] ?? null, last: known.at(-1) ?? null, missing, unknown };
}
