import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { parquetRead } from 'hyparquet';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { type EventColumns, emptyColumns } from '../src/core/events.ts';
import type { Encoding } from './format-encoding.ts';

/**
 * The smallest that a file which DuckDB reads as it stands can sensibly be: absolute values, delta encoding for time and
 * position, dictionaries for the rest, one row group, no statistics, brotli. Quality 5: zstd-19 and brotli-11 are at
 * most 7 % smaller at 2 to 20 times the CPU.
 */
export function parquet(columns: EventColumns, startWallMs: number): Encoding {
  const { count } = columns;
  const wall = BigInt64Array.from({ length: count }, (_, i) => BigInt(startWallMs + (columns.t[i] ?? 0)));
  const column = (name: string, data: ColumnSource['data'], isSmooth: boolean): ColumnSource => ({
    name,
    data,
    type: name === 't' ? 'INT64' : 'INT32',
    nullable: false,
    offsetIndex: false,
    ...(isSmooth ? { encoding: 'DELTA_BINARY_PACKED' as const } : {}),
  });
  const columnData = [
    column('t', wall, true),
    column('kind', Int32Array.from(columns.kind.subarray(0, count)), false),
    column('x', columns.x.subarray(0, count), true),
    column('y', columns.y.subarray(0, count), true),
    column('a', columns.a.subarray(0, count), false),
    column('b', columns.b.subarray(0, count), false),
  ];
  return {
    name: 'Parquet, delta + brotli-5',
    encode: () =>
      new Uint8Array(
        parquetWriteBuffer({
          columnData,
          codec: 'BROTLI',
          compressors: { BROTLI: brotli },
          statistics: false,
          rowGroupSize: Math.max(1, count),
          pageSize: 2 ** 24,
        }),
      ),
    decode: async (bytes) => {
      const chunks = new Map<string, ArrayLike<number | bigint>[]>();
      await parquetRead({
        file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
        compressors: { BROTLI: (input) => brotliDecompressSync(input) },
        onChunk: ({ columnName, columnData: data }) => {
          chunks.set(columnName, [...(chunks.get(columnName) ?? []), data as ArrayLike<number | bigint>]);
        },
      });
      return () => columnsOf(chunks, count, startWallMs);
    },
  };
}

function brotli(input: Uint8Array): Uint8Array {
  return brotliCompressSync(input, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });
}

function columnsOf(
  chunks: ReadonlyMap<string, readonly ArrayLike<number | bigint>[]>,
  count: number,
  startWallMs: number,
): EventColumns {
  const columns = { ...emptyColumns(count), count };
  for (const name of ['t', 'kind', 'x', 'y', 'a', 'b'] as const) {
    let at = 0;
    for (const chunk of chunks.get(name) ?? []) {
      for (const value of Array.from(chunk))
        columns[name][at++] = Number(value) - (name === 't' ? startWallMs : 0);
    }
  }
  return columns;
}
