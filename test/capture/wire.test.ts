import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeCommand,
  decodeConfig,
  decodeMessage,
  encodeCommand,
  encodeConfig,
  encodeMessage,
  FrameDecoder,
  MAX_BATCH_EVENTS,
  MAX_PAYLOAD_BYTES,
} from '../../src/capture/wire.ts';
import type { CaptureConfig, ChildCommand, ChildMessage } from '../../src/core/capture.ts';
import { emptyColumns } from '../../src/core/events.ts';

const CONFIG: CaptureConfig = {
  backend: 'auto',
  keys: 'shortcuts',
  mouseHz: 125,
  focusUnknown: 'record',
  fullApps: ['a'],
  exclude: { apps: ['b'], titles: [] },
  replay: { file: '/tmp/a b.csv', speed: 'max' },
};

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const anEvent = fc.tuple(
  fc.integer({ min: 0, max: 2 ** 50 }),
  fc.integer({ min: 0, max: 5 }),
  int32,
  int32,
  int32,
  int32,
);

const aBatch: fc.Arbitrary<ChildMessage> = fc
  .tuple(fc.array(anEvent, { maxLength: 40 }), fc.tuple(fc.nat(), fc.nat(), fc.nat()))
  .map(([events, [thinned, redacted, dropped]]) => ({
    type: 'batch',
    columns: {
      count: events.length,
      t: Float64Array.from(events, (event) => event[0]),
      kind: Uint8Array.from(events, (event) => event[1]),
      x: Int32Array.from(events, (event) => event[2]),
      y: Int32Array.from(events, (event) => event[3]),
      a: Int32Array.from(events, (event) => event[4]),
      b: Int32Array.from(events, (event) => event[5]),
    },
    loss: { thinned, redacted, dropped },
  }));

const aMessage: fc.Arbitrary<ChildMessage> = fc.oneof(
  aBatch,
  fc.constant<ChildMessage>({ type: 'end' }),
  fc.constant<ChildMessage>({ type: 'alive' }),
  fc.constant<ChildMessage>({
    type: 'screens',
    screens: [{ x: -1920, y: 0, width: 1080, height: 1920, scale: 1.5 }],
  }),
  fc.record({ code: fc.string(), text: fc.string(), hint: fc.string() }).map<ChildMessage>((reason) => ({
    type: 'failed',
    reason,
  })),
  fc.constant<ChildMessage>({
    type: 'ready',
    info: {
      backend: 'uiohook',
      coordinates: 'absolute',
      why: 'because',
      screens: [{ x: 0, y: 0, width: 1280, height: 800, scale: 1 }],
    },
    notes: [{ code: 'memory-readable', text: 'so it is', hint: '' }],
  }),
);

describe('the pipe between daemon and child', () => {
  test('messages arrive as sent, however the stream is chopped', () => {
    fc.assert(
      fc.property(
        fc.array(aMessage, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 300 })),
        (messages, cuts) => {
          const stream = Buffer.concat(messages.map(encodeMessage));
          const decoder = new FrameDecoder();
          const received = chop(stream, cuts).flatMap((chunk) => decoder.push(chunk).map(decodeMessage));
          expect(received).toEqual(messages);
        },
      ),
    );
  });

  test('only the first count entries of a column are sent', () => {
    const columns = { ...emptyColumns(100), count: 2 };
    columns.x.set([7, 8, 9]);
    const [frame] = new FrameDecoder().push(encodeMessage({ type: 'batch', columns, loss: noLoss }));
    const message = frame === undefined ? undefined : decodeMessage(frame);
    expect(message).toMatchObject({ columns: { count: 2, x: Int32Array.of(7, 8) } });
  });

  test('commands arrive as sent, behind the configuration', () => {
    const commands: ChildCommand[] = [{ type: 'probe' }, { type: 'tune', burstMs: 250, mouseHz: 30 }];
    const stream = Buffer.concat([encodeConfig(CONFIG), ...commands.map(encodeCommand)]);
    const decoder = new FrameDecoder();
    const received = chop(stream, [3, 1, 2]).flatMap((chunk) => decoder.push(chunk));
    expect(received.slice(1).map(decodeCommand)).toEqual(commands);
    expect(() => received.slice(0, 1).map(decodeCommand)).toThrow('lost step');
  });

  test('the configuration arrives as sent', () => {
    const [frame] = new FrameDecoder().push(encodeConfig(CONFIG));
    expect(frame && decodeConfig(frame)).toEqual(CONFIG);
  });

  test('the largest batch fits, one event more is refused', () => {
    const send = (count: number): Uint8Array =>
      encodeMessage({ type: 'batch', columns: { ...emptyColumns(count), count }, loss: noLoss });
    expect(new FrameDecoder().push(send(MAX_BATCH_EVENTS))).toHaveLength(1);
    expect(() => send(MAX_BATCH_EVENTS + 1)).toThrow('at most');
  });

  test('a length beyond the limit is an error before anything is allocated for it', () => {
    const header = Buffer.alloc(5);
    header.writeUInt32LE(MAX_PAYLOAD_BYTES + 1);
    expect(() => new FrameDecoder().push(header)).toThrow('over the limit');
  });

  test('a batch whose length and count differ is an error', () => {
    const bytes = encodeMessage({ type: 'batch', columns: { ...emptyColumns(3), count: 3 }, loss: noLoss });
    bytes[5] = 2;
    const [frame] = new FrameDecoder().push(bytes);
    expect(() => frame && decodeMessage(frame)).toThrow('does not match');
  });

  test('random bytes are an error or nothing, never a crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          new FrameDecoder().push(bytes).map(decodeMessage);
        } catch (error) {
          expect(error).toHaveProperty('name', 'TelemetryError');
        }
      }),
    );
  });
});

const noLoss = { thinned: 0, redacted: 0, dropped: 0 };

function chop(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let offset = 0;
  for (const size of cuts) {
    chunks.push(bytes.subarray(offset, offset + size));
    offset += size;
  }
  return [...chunks, bytes.subarray(offset)];
}
