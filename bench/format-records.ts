import { gunzipSync, gzipSync } from 'node:zlib';
import { Packr } from 'msgpackr';
import {
  BUTTON_NAMES,
  type EventColumns,
  type EventRecord,
  KIND,
  type KindName,
  MOD_NAMES,
  packKeyDetail,
} from '../src/core/events.ts';
import { keyId } from '../src/core/keys.ts';
import { columnsFrom, type Encoding, type EventRow } from './format-encoding.ts';

/** What programs that log events usually do. Level 6 is gzip's own default. */
const GZIP = { level: 6 };

/** One JSON object a line, the fields of `telemetryctl export --format jsonl`, gzipped whole: what all is compared with. */
export function jsonLines(records: readonly EventRecord[], startWallMs: number): Encoding {
  return {
    name: 'JSON lines + gzip-6',
    encode: () => gzipSync(linesOf(records), GZIP),
    decode: (bytes) => {
      const parsed = parseLines(gunzipSync(bytes).toString());
      return () => columnsOfRecords(parsed, startWallMs);
    },
  };
}

/** The same lines, not compressed, as one text in memory: decoding them is `JSON.parse` and nothing else. */
export function plainJson(records: readonly EventRecord[], startWallMs: number): Encoding {
  const text = linesOf(records);
  return {
    name: 'JSON lines, plain; JSON.parse',
    encode: () => Buffer.from(linesOf(records)),
    decode: () => {
      const parsed = parseLines(text);
      return () => columnsOfRecords(parsed, startWallMs);
    },
  };
}

/** All records in one array, with msgpackr's extension for records of the same shape, gzipped whole. */
export function msgpackRecords(records: readonly EventRecord[], startWallMs: number): Encoding {
  return {
    name: 'msgpackr records + gzip-6',
    encode: () => gzipSync(new Packr({ useRecords: true }).pack(records), GZIP),
    decode: (bytes) => {
      const parsed = new Packr({ useRecords: true }).unpack(gunzipSync(bytes)) as EventRecord[];
      return () => columnsOfRecords(parsed, startWallMs);
    },
  };
}

/** The inverse of `eventRecords`. */
export function columnsOfRecords(records: readonly EventRecord[], startWallMs: number): EventColumns {
  return columnsFrom(records.length, (i) => {
    const record = records[i];
    return record === undefined ? NOTHING : rowOf(record, startWallMs);
  });
}

const NOTHING: EventRow = [0, 0, 0, 0, 0, 0];

function rowOf(record: EventRecord, startWallMs: number): EventRow {
  const kind = KIND[record.kind satisfies KindName];
  const { a, b } = detailOf(record, kind);
  return [record.t - startWallMs, kind, record.x, record.y, a, b];
}

function detailOf(record: EventRecord, kind: number): { a: number; b: number } {
  if (kind === KIND.move) return { a: 0, b: 0 };
  if (kind === KIND.wheel) return { a: record.dx ?? 0, b: record.dy ?? 0 };
  if (kind < KIND.keydown) {
    const named = (BUTTON_NAMES as readonly string[]).indexOf(record.button ?? '');
    return { a: named >= 0 ? named : Number(record.button), b: 0 };
  }
  const mods = (record.mods ?? []).reduce((bits, mod) => bits | (1 << MOD_NAMES.indexOf(mod)), 0);
  return {
    a: record.key === undefined ? 0 : keyId(record.key),
    b: packKeyDetail(record.class ?? 'text', record.repeat === true, mods),
  };
}

function linesOf(records: readonly EventRecord[]): string {
  let text = '';
  for (const record of records) text += `${JSON.stringify(record)}\n`;
  return text;
}

function parseLines(text: string): EventRecord[] {
  const records: EventRecord[] = [];
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    records.push(JSON.parse(text.slice(start, end)) as EventRecord);
    start = end + 1;
  }
  return records;
}
