import type { XConnection, XExtension } from './x-connection.ts';
import { X_EVENT } from './x-core.ts';
import type { TakePacket } from './x-packets.ts';
import { xRequest } from './x-request.ts';

/** Minor opcodes (RECORD extension protocol 1.13). */
const REQUEST = { createContext: 1, getContext: 4, enableContext: 5, disableContext: 6 } as const;
/** What a reply to `EnableContext` is about. */
const CATEGORY = { fromServer: 0, startOfData: 4, endOfData: 5 } as const;
/** Client specification: all that are and will be. Device events belong to none of them. */
const ALL_CLIENTS = 3;
/** `RECORDRANGE`: the device events are bytes 18 and 19 of its 24. */
const RANGE_BYTES = 24;
const RANGE_DEVICE_EVENTS = 18;
/** Events follow the head of a reply one behind the other, without a header of their own. */
const HEAD_BYTES = 32;
const EVENT_BYTES = 32;

export interface RecordHandlers {
  /** The server's clock when it began to record. */
  started(serverTime: number): void;
  /** One core event of a device, in place: 32 bytes from `offset` on. */
  event(bytes: Buffer, offset: number): void;
  /** No more will come: disabled, refused, or the server went. */
  ended(): void;
}

/**
 * A RECORD context: what devices do, whoever it is delivered to, also while the keyboard is grabbed. One connection
 * carries the data and nothing else, the other gives the orders.
 */
export class RecordContext {
  readonly #control: XConnection;
  readonly #data: XConnection;
  readonly #extension: XExtension;
  readonly #id: number;

  /** Use {@link createRecordContext}. */
  constructor(control: XConnection, data: XConnection, extension: XExtension, id: number) {
    this.#control = control;
    this.#data = data;
    this.#extension = extension;
    this.#id = id;
  }

  /** Begins to record. */
  enable(handlers: RecordHandlers): void {
    let hasEnded = false;
    const ended = (): void => {
      if (hasEnded) return;
      hasEnded = true;
      handlers.ended();
    };
    const take: TakePacket = (bytes, offset, length) => {
      const category = bytes[offset + 1];
      if (category === CATEGORY.fromServer) {
        const end = offset + length - EVENT_BYTES;
        for (let at = offset + HEAD_BYTES; at <= end; at += EVENT_BYTES) handlers.event(bytes, at);
      } else if (category === CATEGORY.startOfData) handlers.started(bytes.readUInt32LE(offset + 16));
      else if (category === CATEGORY.endOfData) ended();
    };
    this.#data.stream(xRequest(this.#extension.majorOpcode, REQUEST.enableContext, [this.#id]), take, ended);
  }

  /** Ends it; the server first hands over what it still holds, then `ended` is called. */
  disable(): void {
    this.#control.send(xRequest(this.#extension.majorOpcode, REQUEST.disableContext, [this.#id]));
  }

  /** Whether the server still records. False also when it went. */
  async isEnabled(): Promise<boolean> {
    const reply = await this.#control.ask(
      xRequest(this.#extension.majorOpcode, REQUEST.getContext, [this.#id]),
    );
    return reply?.[1] === 1;
  }
}

/** Makes a context for keys, buttons and motion; `null` when the server has no RECORD extension. */
export async function createRecordContext(
  control: XConnection,
  data: XConnection,
): Promise<RecordContext | null> {
  const extension = await control.extension('RECORD');
  // An extension's opcode is the same for every client of a server.
  if (extension === null) return null;
  const id = control.newId();
  const range = new Uint8Array(RANGE_BYTES);
  range.set([X_EVENT.keyPress, X_EVENT.motionNotify], RANGE_DEVICE_EVENTS);
  const words = [id, 0, 1, 1, ALL_CLIENTS];
  control.send(xRequest(extension.majorOpcode, REQUEST.createContext, words, range));
  return new RecordContext(control, data, extension, id);
}
