import { BodyReader } from './body-reader.ts';
import { type BusValue, itemsIn } from './values.ts';

/** Message types of the D-Bus specification, "Message Format". */
const TYPE = { call: 1, reply: 2, error: 3, signal: 4 } as const;
const FIELD = {
  path: 1,
  interface: 2,
  member: 3,
  errorName: 4,
  replySerial: 5,
  destination: 6,
  sender: 7,
  signature: 8,
} as const;
/** Do not start a service only to be asked. */
const NO_AUTO_START = 0x2;
/** Bytes that say how long a message is. */
export const HEAD_BYTES = 16;

/** An argument that is neither a string nor an unsigned number: its signature, and how it is written. */
export interface SpecialArgument {
  readonly signature: 'i' | 'as' | 'a{sv}';
  readonly value: number;
}

/** A number that may be negative (`i`). */
export function signed(value: number): SpecialArgument {
  return { signature: 'i', value };
}

/** No strings (`as`): an array of no bytes. */
export function stringsNone(): SpecialArgument {
  return { signature: 'as', value: 0 };
}

/** No names with values (`a{sv}`): an array of no bytes. */
export function variantsNone(): SpecialArgument {
  return { signature: 'a{sv}', value: 0 };
}

/** A method to call. */
export interface MethodCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly args?: readonly (string | number | SpecialArgument)[];
  /** A service that is not running may be started for it. */
  readonly mayStart?: true;
}

/** A message that came in. Of what is not given, the field is an empty string. */
export interface Message {
  readonly type: 'call' | 'reply' | 'error' | 'signal' | 'unknown';
  readonly serial: number;
  readonly replySerial: number;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly errorName: string;
  readonly sender: string;
  readonly body: readonly BusValue[];
}

/** A method call as bytes, little-endian. It starts a service only where the call says so. */
export function encodeCall(call: MethodCall, serial: number): Uint8Array {
  const body = new Bytes();
  let signature = '';
  for (const value of call.args ?? []) {
    signature += typeof value === 'string' ? 's' : typeof value === 'number' ? 'u' : value.signature;
    if (typeof value === 'string') body.text(value);
    else if (typeof value === 'number') body.uint32(value);
    else {
      body.uint32(value.value >>> 0);
      // Padding to the first pair comes even where there is none (specification, "Marshaling Containers").
      if (value.signature === 'a{sv}') body.align(8);
    }
  }
  const fields = new Bytes();
  fields.field(FIELD.path, 'o', call.path);
  fields.field(FIELD.interface, 's', call.interface);
  fields.field(FIELD.member, 's', call.member);
  fields.field(FIELD.destination, 's', call.destination);
  if (signature !== '') fields.field(FIELD.signature, 'g', signature);

  const out = new Bytes();
  out.bytes.push(0x6c, TYPE.call, call.mayStart === true ? 0 : NO_AUTO_START, 1); // 'l' for little-endian; protocol version 1
  out.uint32(body.bytes.length);
  out.uint32(serial);
  out.uint32(fields.bytes.length);
  out.bytes.push(...fields.bytes);
  out.align(8);
  out.bytes.push(...body.bytes);
  return Uint8Array.from(out.bytes);
}

/** How long the message is whose first {@link HEAD_BYTES} these are; throws a `RangeError` when they begin none. */
export function messageBytes(head: Uint8Array): number {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const isLittle = isLittleEndian(head);
  if (head[3] !== 1) throw new RangeError('another protocol version');
  return Math.ceil((HEAD_BYTES + view.getUint32(12, isLittle)) / 8) * 8 + view.getUint32(4, isLittle);
}

/** Reads a whole message; throws a `RangeError` when it is malformed. */
export function decodeMessage(bytes: Uint8Array): Message {
  const reader = new BodyReader(bytes, isLittleEndian(bytes));
  const [, type, , , , serial, header] = reader.values('yyyyuua(yv)');
  const fields = new Map<BusValue, BusValue>();
  for (const field of itemsIn(header)) {
    const [code, value] = itemsIn(field);
    if (code !== undefined && value !== undefined) fields.set(code, value);
  }
  const text = (field: number): string => {
    const value = fields.get(field);
    return typeof value === 'string' ? value : '';
  };
  const replySerial = fields.get(FIELD.replySerial);
  const bodyStart = Math.ceil(reader.offset / 8) * 8;
  return {
    type: typeName(type),
    serial: typeof serial === 'number' ? serial : 0,
    replySerial: typeof replySerial === 'number' ? replySerial : 0,
    path: text(FIELD.path),
    interface: text(FIELD.interface),
    member: text(FIELD.member),
    errorName: text(FIELD.errorName),
    sender: text(FIELD.sender),
    // A body is aligned by itself: a message begins on a multiple of 8.
    body: new BodyReader(bytes.subarray(bodyStart), isLittleEndian(bytes)).values(text(FIELD.signature)),
  };
}

function typeName(type: BusValue | undefined): Message['type'] {
  const names = ['call', 'reply', 'error', 'signal'] as const;
  return names.find((name) => TYPE[name] === type) ?? 'unknown';
}

function isLittleEndian(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0x6c && bytes[0] !== 0x42) throw new RangeError('not a D-Bus message');
  return bytes[0] === 0x6c;
}

/** The few types that a call needs. */
class Bytes {
  readonly bytes: number[] = [];

  uint32(value: number): void {
    this.align(4);
    for (let shift = 0; shift < 32; shift += 8) this.bytes.push((value >>> shift) & 0xff);
  }

  text(text: string): void {
    const encoded = new TextEncoder().encode(text);
    this.uint32(encoded.length);
    this.bytes.push(...encoded, 0);
  }

  /** A header field: a structure of its code and a variant. */
  field(code: number, type: 's' | 'o' | 'g', text: string): void {
    this.align(8);
    this.bytes.push(code, 1, type.charCodeAt(0), 0);
    if (type === 'g') this.bytes.push(text.length, ...new TextEncoder().encode(text), 0);
    else this.text(text);
  }

  align(to: number): void {
    while (this.bytes.length % to !== 0) this.bytes.push(0);
  }
}
