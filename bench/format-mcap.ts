import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { type IWritable, McapStreamReader, McapWriter } from '@mcap/core';
import type { EventColumns, EventRecord } from '../src/core/events.ts';
import { columnsFrom, type Encoding, type EventRow } from './format-encoding.ts';
import { columnsOfRecords } from './format-records.ts';

/** As Foxglove's tools read it at once: JSON messages with a schema, indexed, chunks as the writer's defaults make them. */
export function mcapJson(records: readonly EventRecord[], startWallMs: number): Encoding {
  const text = new TextEncoder();
  return {
    name: 'MCAP zstd, JSON, indexed',
    encode: () =>
      write('json', true, records.length, (i) => ({
        ms: records[i]?.t ?? 0,
        data: text.encode(JSON.stringify(records[i])),
      })),
    decode: (bytes) => {
      const parsed: EventRecord[] = [];
      read(bytes, (data) => parsed.push(JSON.parse(Buffer.from(data).toString()) as EventRecord));
      return () => columnsOfRecords(parsed, startWallMs);
    },
  };
}

/** For size: a message is 17 bytes (kind, x, y, a, b), and the index of single messages, 16 bytes each, is left out. */
export function mcapPacked(columns: EventColumns, startWallMs: number): Encoding {
  return {
    name: 'MCAP zstd, packed, no index',
    encode: () =>
      write('packed', false, columns.count, (i) => ({
        ms: startWallMs + (columns.t[i] ?? 0),
        data: pack(columns, i),
      })),
    decode: (bytes) => {
      const rows: EventRow[] = [];
      read(bytes, (data, ms) => rows.push(unpack(data, ms - startWallMs)));
      return () => columnsFrom(rows.length, (i) => rows[i] ?? [0, 0, 0, 0, 0, 0]);
    },
  };
}

const SCHEMA = {
  type: 'object',
  properties: {
    t: { type: 'number' },
    kind: { type: 'string' },
    x: { type: 'integer' },
    y: { type: 'integer' },
  },
};

async function write(
  messageEncoding: 'json' | 'packed',
  useMessageIndex: boolean,
  count: number,
  messageAt: (i: number) => { readonly ms: number; readonly data: Uint8Array },
): Promise<Uint8Array> {
  const sink = new MemorySink();
  const writer = new McapWriter({
    writable: sink,
    useMessageIndex,
    compressChunk: (data) => ({ compression: 'zstd', compressedData: zstdCompressSync(data) }),
  });
  await writer.start({ profile: '', library: '' });
  const isJson = messageEncoding === 'json';
  const schemaId = await writer.registerSchema({
    name: 'input',
    encoding: isJson ? 'jsonschema' : '',
    data: isJson ? Buffer.from(JSON.stringify(SCHEMA)) : new Uint8Array(),
  });
  const channelId = await writer.registerChannel({
    schemaId,
    topic: 'input',
    messageEncoding,
    metadata: new Map(),
  });
  for (let i = 0; i < count; i++) {
    const { ms, data } = messageAt(i);
    const time = BigInt(ms) * 1_000_000n;
    await writer.addMessage({ channelId, sequence: i, logTime: time, publishTime: time, data });
  }
  await writer.end();
  return Buffer.concat(sink.parts);
}

function read(bytes: Uint8Array, take: (data: Uint8Array, ms: number) => void): void {
  const reader = new McapStreamReader({
    decompressHandlers: { zstd: (data) => zstdDecompressSync(data) },
  });
  reader.append(bytes);
  for (let record = reader.nextRecord(); record !== undefined; record = reader.nextRecord()) {
    if (record.type === 'Message') take(record.data, Number(record.logTime / 1_000_000n));
  }
}

function pack(columns: EventColumns, i: number): Uint8Array {
  const message = Buffer.alloc(17);
  message.writeUInt8(columns.kind[i] ?? 0, 0);
  message.writeInt32LE(columns.x[i] ?? 0, 1);
  message.writeInt32LE(columns.y[i] ?? 0, 5);
  message.writeInt32LE(columns.a[i] ?? 0, 9);
  message.writeInt32LE(columns.b[i] ?? 0, 13);
  return message;
}

function unpack(data: Uint8Array, t: number): EventRow {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const at = (offset: number): number => view.getInt32(offset, true);
  return [t, view.getUint8(0), at(1), at(5), at(9), at(13)];
}

/** A file in memory. The writer uses its buffers again, so what it hands over is copied. */
class MemorySink implements IWritable {
  readonly parts: Uint8Array[] = [];
  #length = 0;

  write(bytes: Uint8Array): Promise<void> {
    this.parts.push(bytes.slice());
    this.#length += bytes.length;
    return Promise.resolve();
  }

  position(): bigint {
    return BigInt(this.#length);
  }
}
