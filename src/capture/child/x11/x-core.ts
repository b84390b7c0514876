import type { XConnection } from './x-connection.ts';
import { xRequest } from './x-request.ts';

/** Event masks of `ChangeWindowAttributes` (X.h). */
export const EVENT_MASK = {
  pointerMotion: 1 << 6,
  pointerMotionHint: 1 << 7,
  structureNotify: 1 << 17,
  focusChange: 1 << 21,
  propertyChange: 1 << 22,
} as const;

/** Types of core events (X.h); the upper bit is set in those that another client sent. */
export const X_EVENT = {
  keyPress: 2,
  keyRelease: 3,
  buttonPress: 4,
  buttonRelease: 5,
  motionNotify: 6,
  focusIn: 9,
  focusOut: 10,
  keymapNotify: 11,
  destroyNotify: 17,
  propertyNotify: 28,
  mappingNotify: 34,
} as const;

/** Any type of property, for {@link getProperty}. */
const ANY_TYPE = 0;
/** `CWEventMask` of `ChangeWindowAttributes`. */
const ATTRIBUTE_EVENT_MASK = 1 << 11;

export interface PointerPosition {
  readonly x: number;
  readonly y: number;
}

/** Where the pointer is on the root window; `null` when the server went. */
export async function queryPointer(x: XConnection): Promise<PointerPosition | null> {
  const reply = await x.ask(xRequest(38, 0, [x.setup.rootWindow]));
  return reply === null ? null : { x: reply.readInt16LE(16), y: reply.readInt16LE(18) };
}

/** Which events of `window` this connection gets; a mask that is set replaces the one before. */
export function selectEvents(x: XConnection, window: number, mask: number): void {
  x.send(xRequest(2, 0, [window, ATTRIBUTE_EVENT_MASK, mask]));
}

/** A property as it lies in the server. `format`: bits of one item. */
export interface XProperty {
  readonly type: number;
  readonly format: number;
  readonly value: Buffer;
}

/**
 * A property of a window, its first `maxBytes`; `null` when the window has none of that name, is gone, or the server
 * is.
 */
export async function getProperty(
  x: XConnection,
  window: number,
  property: number,
  maxBytes: number,
): Promise<XProperty | null> {
  const reply = await x.ask(xRequest(20, 0, [window, property, ANY_TYPE, 0, Math.ceil(maxBytes / 4)]));
  if (reply === null) return null;
  const type = reply.readUInt32LE(8);
  const format = reply.readUInt8(1);
  if (type === 0) return null;
  const sizeBytes = Math.min(maxBytes, (reply.readUInt32LE(16) * format) / 8);
  return { type, format, value: reply.subarray(32, 32 + sizeBytes) };
}

/** The window that has the keyboard: 0 none, 1 the one under the pointer; `null` when the server went. */
export async function getInputFocus(x: XConnection): Promise<number | null> {
  const reply = await x.ask(xRequest(43, 0));
  return reply === null ? null : reply.readUInt32LE(8);
}

/** An event that a packet holds: its type without the "sent by a client" bit. */
export function eventType(bytes: Buffer, offset: number): number {
  return (bytes[offset] ?? 0) & 0x7f;
}
