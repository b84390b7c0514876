import { EXPORT_COLUMNS, type ExportRow, exportRows } from '../export/export-columns.ts';
import type { OpenedSegment } from '../segment/open-segment.ts';
import type { ExportTarget } from './export-target.ts';

/** Turns segments into one format, one segment at a time. */
export interface ExportWriter {
  add(segment: OpenedSegment, path: string): void;
  /** All segments were added. */
  end(): void;
}

/** Writing line by line would be one system call an event. */
const BATCH_CHARACTERS = 64 * 1024;

/** JSON lines, as `inspect --json` prints them. */
export function jsonLinesWriter(target: ExportTarget): ExportWriter {
  return {
    add: (segment) => writeLines(target, jsonLines(segment)),
    end: () => undefined,
  };
}

/** CSV by RFC 4180 with a line of names, lines ending in LF; an absent value is empty. */
export function csvWriter(target: ExportTarget): ExportWriter {
  target.write(`${EXPORT_COLUMNS.map(({ name }) => name).join(',')}\n`);
  return {
    add: (segment) => writeLines(target, csvLines(segment)),
    end: () => undefined,
  };
}

function* jsonLines(segment: OpenedSegment): Generator<string> {
  for (const record of segment.events()) yield JSON.stringify(record);
}

function* csvLines(segment: OpenedSegment): Generator<string> {
  for (const row of exportRows(segment)) yield csvLine(row);
}

function csvLine(row: ExportRow): string {
  return row.map((value) => (value === null ? '' : quoted(String(value)))).join(',');
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function writeLines(target: ExportTarget, lines: Iterable<string>): void {
  let batch = '';
  for (const line of lines) {
    batch += `${line}\n`;
    if (batch.length < BATCH_CHARACTERS) continue;
    target.write(batch);
    batch = '';
  }
  if (batch !== '') target.write(batch);
}
