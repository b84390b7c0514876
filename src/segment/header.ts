import { Packr } from 'msgpackr';
import type { Screen } from '../core/capture.ts';
import type { KeyMode } from '../core/masking.ts';
import { badSegment } from './bad-segment.ts';
import { encodeFrame, FRAME, MAGIC } from './frames.ts';
import { bytesOfId, idOfBytes } from './id-bytes.ts';
import { checkMsgpack } from './msgpack-guard.ts';
import type { SegmentHeader } from './types.ts';
import { MAX_INTEGER } from './varint.ts';

/** A header has some 150 bytes; each screen adds 12, each recipient of a wrapped key 100 to 1600. */
const MAX_HEADER_BYTES = 64 * 1024;
const MAX_SCREENS = 64;

const CODECS = ['raw', 'columns-brotli', 'columns-mix'] as const satisfies SegmentHeader['codec'][];
const KEY_MODES = ['off', 'activity', 'shortcuts', 'full'] as const satisfies KeyMode[];
const COORDINATES = ['absolute', 'relative'] as const;

const packr = new Packr({ useRecords: false, variableMapSize: true });

/** The first bytes of a segment file: magic and frame type 1, a MessagePack map with the keys of {@link unpack}. */
export function encodeHeader(header: SegmentHeader): Uint8Array {
  const map: Record<string, unknown> = {
    v: header.formatVersion,
    codec: header.codec,
    unit: header.timeUnitMs,
    id: bytesOfId(header.segmentId),
    dev: bytesOfId(header.device),
    seq: header.sequence,
    wall: header.startWallMs,
    mono: header.originMonoMs,
    zone: header.zoneOffsetMinutes,
    os: header.platform,
    by: header.backend,
    xy: header.coordinates,
    scr: header.screens.map(({ x, y, width, height, scale }) => [x, y, width, height, scale]),
    keys: header.redaction,
    pol: bytesOfId(header.policyId),
    rcpt: bytesOfId(header.receiptId),
    sv: header.schemaVersion,
  };
  if (header.simulated) map['sim'] = true;
  if (header.ledgerHead !== undefined) map['led'] = bytesOfId(header.ledgerHead);
  if (header.wrappedKey !== undefined) map['key'] = header.wrappedKey;
  const frame = encodeFrame(FRAME.header, packr.pack(map));
  const out = new Uint8Array(MAGIC.length + frame.length);
  out.set(MAGIC);
  out.set(frame, MAGIC.length);
  return out;
}

/** The inverse of {@link encodeHeader} for the payload of the frame. Keys it does not know are ignored. */
export function decodeHeader(payload: Uint8Array): SegmentHeader {
  if (payload.length > MAX_HEADER_BYTES) throw badSegment('the header is too large');
  checkMsgpack(payload);
  const map = unpack(payload);
  if (map['v'] !== 1) {
    throw badSegment('it is of a later format version, or the header is not a map with a version');
  }
  return {
    formatVersion: 1,
    codec: oneOf(map, 'codec', CODECS),
    timeUnitMs: unit(map),
    segmentId: id(map, 'id'),
    device: id(map, 'dev'),
    sequence: count(map, 'seq'),
    startWallMs: number(map, 'wall'),
    originMonoMs: number(map, 'mono'),
    zoneOffsetMinutes: number(map, 'zone'),
    platform: text(map, 'os'),
    backend: text(map, 'by'),
    coordinates: oneOf(map, 'xy', COORDINATES),
    screens: screens(map['scr']),
    redaction: oneOf(map, 'keys', KEY_MODES),
    policyId: id(map, 'pol'),
    receiptId: id(map, 'rcpt'),
    schemaVersion: count(map, 'sv'),
    simulated: map['sim'] === true,
    ...ledgerHead(map['led']),
    ...wrappedKey(map['key']),
  };
}

/** A SHA-256. */
function ledgerHead(value: unknown): { ledgerHead?: string } {
  if (value === undefined) return {};
  if (!(value instanceof Uint8Array) || value.length !== 32) throw bad('led');
  return { ledgerHead: idOfBytes(value) };
}

/** An age file for some recipients; a wrong one shows when it is opened. */
function wrappedKey(value: unknown): { wrappedKey?: Uint8Array } {
  if (value === undefined) return {};
  if (!(value instanceof Uint8Array)) throw bad('key');
  return { wrappedKey: new Uint8Array(value) };
}

function unpack(payload: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = packr.unpack(payload);
    if (isMap(value)) return value;
  } catch (error) {
    throw badSegment('the header is not MessagePack', undefined, error);
  }
  throw badSegment('the header is not a map');
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bad(key: string): Error {
  return badSegment(`header field "${key}" is missing or has a wrong value`);
}

function oneOf<T extends string>(map: Record<string, unknown>, key: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === map[key]);
  if (found === undefined) throw bad(key);
  return found;
}

/** Times of version 1 are whole milliseconds; a file in another unit needs a reader that knows it. */
function unit(map: Record<string, unknown>): 1 {
  if (map['unit'] !== 1) throw bad('unit');
  return 1;
}

function text(map: Record<string, unknown>, key: string): string {
  const value = map[key];
  if (typeof value !== 'string') throw bad(key);
  return value;
}

function id(map: Record<string, unknown>, key: string): string {
  const value = map[key];
  return value instanceof Uint8Array ? idOfBytes(value) : text(map, key);
}

function number(map: Record<string, unknown>, key: string): number {
  const value = map[key];
  if (typeof value !== 'number' || !(Math.abs(value) <= MAX_INTEGER)) throw bad(key);
  return value;
}

function count(map: Record<string, unknown>, key: string): number {
  const value = number(map, key);
  if (!Number.isInteger(value) || value < 0) throw bad(key);
  return value;
}

function screens(value: unknown): Screen[] {
  if (!Array.isArray(value) || value.length > MAX_SCREENS) throw bad('scr');
  return value.map((item: unknown) => {
    if (!Array.isArray(item) || !item.every((part) => typeof part === 'number')) throw bad('scr');
    const [x, y, width, height, scale] = item;
    if (
      x === undefined ||
      y === undefined ||
      width === undefined ||
      height === undefined ||
      scale === undefined
    ) {
      throw bad('scr');
    }
    return { x, y, width, height, scale };
  });
}
