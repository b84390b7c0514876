import { ByteWriter, type ColumnSource, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import { VERSION } from '../core/version.ts';
import type { OpenedSegment } from '../segment/open-segment.ts';
import { EXPORT_COLUMNS, EXPORT_SCHEMA, type ExportColumn, type ExportRow } from './export-columns.ts';

/** A Parquet file that is being written. */
export interface ParquetFile {
  /** One event. */
  addRow(row: ExportRow): void;
  /** What a segment says besides its events; `path` names its file there. */
  addSegment(segment: OpenedSegment, path: string): void;
  /** All was added. */
  end(): void;
}

/**
 * Rows of a row group, which is what is held in memory: 32,768 take some 15 MB while they are written. Small segments
 * share a row group, since each costs a reader a look at every column.
 */
const ROWS_PER_GROUP = 32_768;

/** Key of the metadata that has {@link EXPORT_COLUMNS} with their units, as JSON. */
const SCHEMA_KEY = 'telemetryd.schema';
/** Key of the metadata that has what each segment says besides its events, as a JSON array in order of time. */
const SEGMENTS_KEY = 'telemetryd.segments';

const TYPES = { int64: 'INT64', int32: 'INT32', string: 'STRING', boolean: 'BOOLEAN' } as const;

/** Columns that queries select by; finding the least and the greatest of all the others takes a third of the time. */
const WITH_STATISTICS = new Set(['t_ms', 'segment', 'device']);

type Values = BigInt64Array | Int32Array | (string | boolean | number | null)[];

/** Parquet, Snappy-compressed; times and positions as differences, names from a dictionary. */
export function parquetFile(write: (bytes: Uint8Array) => void): ParquetFile {
  const sink = new ByteWriter();
  const flush = (): void => {
    write(sink.getBytes());
    sink.index = 0;
  };
  const writer = new ParquetWriter({
    writer: Object.assign(sink, { flush, finish: flush }),
    schema: schemaFromColumnData({
      columnData: EXPORT_COLUMNS.map(({ name, type, isOptional }) => {
        return { name, data: [], type: TYPES[type], nullable: isOptional };
      }),
    }),
    createdBy: `telemetryd version ${VERSION}`,
  });
  const columns = EXPORT_COLUMNS.map(roomFor);
  const segments: string[] = [];
  let rows = 0;

  const writeGroup = (): void => {
    if (rows === 0) return;
    const columnData = EXPORT_COLUMNS.map((column, at) => encoded(column, columns[at]?.slice(0, rows) ?? []));
    void writer.write({ columnData, rowGroupSize: ROWS_PER_GROUP });
    rows = 0;
  };

  return {
    addRow(row) {
      put(columns, rows++, row);
      if (rows === ROWS_PER_GROUP) writeGroup();
    },
    addSegment(segment, path) {
      segments.push(JSON.stringify(segmentDocument(segment, path)));
    },
    end() {
      writeGroup();
      writer.kvMetadata = [
        { key: SCHEMA_KEY, value: JSON.stringify(schemaDocument()) },
        { key: SEGMENTS_KEY, value: `[${segments.join(',')}]` },
      ];
      void writer.finish();
    },
  };
}

function roomFor(column: ExportColumn): Values {
  if (!isRequiredNumber(column)) return [];
  return column.type === 'int64' ? new BigInt64Array(ROWS_PER_GROUP) : new Int32Array(ROWS_PER_GROUP);
}

function put(columns: readonly Values[], at: number, row: ExportRow): void {
  for (let index = 0; index < columns.length; index++) {
    const values = columns[index] ?? [];
    const value = row[index] ?? null;
    if (values instanceof BigInt64Array) values[at] = BigInt(Number(value));
    else if (values instanceof Int32Array) values[at] = Number(value);
    else values[at] = value;
  }
}

function encoded(column: ExportColumn, data: ColumnSource['data']): ColumnSource {
  const { name } = column;
  const statistics = WITH_STATISTICS.has(name);
  if (!isRequiredNumber(column)) return { name, data, statistics };
  return { name, data, statistics, encoding: 'DELTA_BINARY_PACKED' };
}

function isRequiredNumber({ type, isOptional }: ExportColumn): boolean {
  return (type === 'int64' || type === 'int32') && !isOptional;
}

function schemaDocument(): object {
  return {
    schema: EXPORT_SCHEMA,
    columns: EXPORT_COLUMNS.map(({ name, unit, text }) => ({ name, ...(unit === '' ? {} : { unit }), text })),
  };
}

/** All that `openSegment` gives but the events; times as in the segment, in monotonic ms. */
function segmentDocument(segment: OpenedSegment, path: string): object {
  const { header, columns, gaps, clocks, loss, footer, tornBytes } = segment;
  return {
    file: path,
    ...header,
    events: columns.count,
    gaps,
    clocks,
    loss,
    isSealed: footer !== null,
    tornBytes,
  };
}
