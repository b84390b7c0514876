import { readSegment } from '../src/segment/read.ts';
import { eventRecords } from '../src/segment/records.ts';
import { xzBoundBytes } from './format-bound.ts';
import { type EncryptionBytes, encryptionBytes } from './format-encryption.ts';
import { mcapJson, mcapPacked } from './format-mcap.ts';
import { type Effort, type Measured, measure } from './format-measure.ts';
import { fixedBytes, journal, journalOf, START_WALL_MS, sealedFile, sealing } from './format-ours.ts';
import { parquet } from './format-parquet.ts';
import type { Recording } from './format-recordings.ts';
import { jsonLines, msgpackRecords, plainJson } from './format-records.ts';

/** One recording in every format. */
export interface Comparison {
  readonly recording: Recording;
  readonly formats: readonly Format[];
  /** `xz -9e` of the columns; `null` without that program. */
  readonly boundBytes: number | null;
  /** Of the file, whatever it holds: header, footer and frames. */
  readonly fixedBytes: number;
  readonly encryption: EncryptionBytes;
  readonly aims: { readonly quick: readonly Aim[]; readonly smallest: readonly Aim[] };
}

/** What was measured of a format, and the ratios that the aims are about. */
export interface Format extends Measured {
  readonly bytesPerEvent: number;
  /** Kilobytes (1000 bytes) for an hour of input. */
  readonly kBPerActiveHour: number;
  /** CPU of encoding; JSON lines + gzip-6 take 1. */
  readonly encodeRatio: number;
  /** CPU of decoding; JSON.parse of the plain lines takes 1. */
  readonly decodeRatio: number;
  readonly decodedPerSecond: number;
}

/** An upper limit and what came of it. */
export interface Aim {
  readonly what: 'bytes per event' | 'encode CPU' | 'decode CPU' | 'decode µs per event';
  readonly limit: number;
  readonly reached: number;
  readonly isMet: boolean;
}

/** CPU of encoding against JSON lines + gzip-6, by how the file is sealed. */
const ENCODE_LIMIT = { quick: 0.3, smallest: 3 };
/** CPU of decoding against JSON.parse of the same events. */
const DECODE_LIMIT = 1;
/** 300,000 events a second. */
const DECODE_LIMIT_US = 3.33;

/** Bytes per event of the whole file, by the events per second up to which they count. */
const SIZE_LIMITS = [
  { upToPerSecond: 20, quick: 1.9, smallest: 1.52 },
  { upToPerSecond: 90, quick: 1.65, smallest: 1.32 },
  { upToPerSecond: 300, quick: 0.86, smallest: 0.57 },
  { upToPerSecond: Infinity, quick: 0.53, smallest: 0.41 },
] as const;

/** Stores a recording in every format, checks that nothing is lost, and measures. */
export async function compare(recording: Recording, effort: Effort): Promise<Comparison> {
  const { columns } = recording;
  const records = [...eventRecords(readSegment(journalOf(columns)))];
  const quick = sealedFile(columns, 'quick');
  const smallest = sealedFile(columns, 'smallest');
  const json = jsonLines(records, START_WALL_MS);
  const plain = plainJson(records, START_WALL_MS);
  const measured = await measure(
    [
      quick,
      journal(columns),
      sealing(columns),
      smallest,
      json,
      plain,
      msgpackRecords(records, START_WALL_MS),
      mcapJson(records, START_WALL_MS),
      mcapPacked(columns, START_WALL_MS),
      parquet(columns, START_WALL_MS),
    ],
    columns,
    effort,
  );
  const named = (name: string): Measured => {
    const found = measured.find((one) => one.name === name);
    if (found === undefined) throw new Error(`${name} was not measured`);
    return found;
  };
  const format = (one: Measured): Format => formatOf(one, recording, named(json.name), named(plain.name));
  return {
    recording,
    formats: measured.map(format),
    boundBytes: xzBoundBytes(columns) ?? null,
    fixedBytes: fixedBytes(),
    encryption: await encryptionBytes(columns),
    aims: {
      quick: quickAims(format(named(quick.name)), recording),
      smallest: smallestAims(format(named(smallest.name)), recording),
    },
  };
}

function formatOf(
  one: Measured,
  { columns, activeSeconds }: Recording,
  json: Measured,
  plain: Measured,
): Format {
  return {
    ...one,
    bytesPerEvent: one.bytes / columns.count,
    kBPerActiveHour: (one.bytes * 3.6) / activeSeconds,
    encodeRatio: one.encodeMs / json.encodeMs,
    decodeRatio: one.decodeMs / plain.decodeMs,
    decodedPerSecond: (columns.count * 1000) / one.decodeMs,
  };
}

function quickAims(format: Format, recording: Recording): Aim[] {
  return [
    aim('bytes per event', sizeLimits(recording).quick, format.bytesPerEvent),
    aim('encode CPU', ENCODE_LIMIT.quick, format.encodeRatio),
    aim('decode CPU', DECODE_LIMIT, format.decodeRatio),
  ];
}

function smallestAims(format: Format, recording: Recording): Aim[] {
  return [
    aim('bytes per event', sizeLimits(recording).smallest, format.bytesPerEvent),
    aim('encode CPU', ENCODE_LIMIT.smallest, format.encodeRatio),
    aim('decode µs per event', DECODE_LIMIT_US, 1e6 / format.decodedPerSecond),
  ];
}

function sizeLimits({ columns, seconds }: Recording): (typeof SIZE_LIMITS)[number] {
  const perSecond = columns.count / seconds;
  return SIZE_LIMITS.find(({ upToPerSecond }) => perSecond <= upToPerSecond) ?? SIZE_LIMITS[3];
}

function aim(what: Aim['what'], limit: number, reached: number): Aim {
  // As printed: 0.534 is not within 0.53 but 0.5304 is.
  return { what, limit, reached, isMet: Number(reached.toFixed(3)) <= limit };
}
