import type { Screen } from '../../../core/capture.ts';

/** A display of this machine: `:1`, `unix:1`, with or without a screen. */
export interface LocalDisplay {
  readonly number: string;
}

/**
 * Reads `DISPLAY`. `forwarded`: it leads to another machine, or pretends to be one here (`localhost:10.0` is how ssh
 * forwards); what is typed there is not this machine's to record.
 */
export function parseDisplay(display: string): LocalDisplay | 'forwarded' | 'malformed' {
  const match = /^(.*):(\d{1,5})(?:\.\d{1,5})?$/.exec(display);
  if (match === null) return 'malformed';
  const [, host = '', number = ''] = match;
  return host === '' || host === 'unix' ? { number } : 'forwarded';
}

/** The first bytes a client sends (X protocol, section 8), little-endian, with a cookie if there is one. */
export function setupRequest(cookie: Uint8Array | undefined): Uint8Array {
  const name = new TextEncoder().encode(cookie === undefined ? '' : 'MIT-MAGIC-COOKIE-1');
  const data = cookie ?? new Uint8Array(0);
  const request = new Uint8Array(12 + padded(name.length) + padded(data.length));
  const view = new DataView(request.buffer);
  request[0] = 0x6c; // 'l': least significant byte first
  view.setUint16(2, 11, true);
  view.setUint16(6, name.length, true);
  view.setUint16(8, data.length, true);
  request.set(name, 12);
  request.set(data, 12 + padded(name.length));
  return request;
}

/** What a server says of itself when it accepts a client. */
export interface XSetup {
  readonly rootWindow: number;
  /** The client's own ids are `idBase` with bits of `idMask`. */
  readonly idBase: number;
  readonly idMask: number;
  readonly minKeycode: number;
  readonly maxKeycode: number;
  /** The first X screen as it was at the connection; several monitors are one desktop to it. */
  readonly screen: Screen;
}

/** What the server answers. `refused` is its own explanation, cut to plain characters. */
export type SetupReply =
  | { readonly type: 'accepted'; readonly setup: XSetup }
  | { readonly type: 'refused'; readonly text: string };

/** Bytes of the whole setup reply, from its first 8. */
export function setupReplyBytes(head: Uint8Array): number {
  return 8 + 4 * new DataView(head.buffer, head.byteOffset, head.byteLength).getUint16(6, true);
}

/** Reads a whole setup reply (X protocol, section 8). `undefined` when it is not one. */
export function readSetupReply(reply: Uint8Array): SetupReply | undefined {
  const view = new DataView(reply.buffer, reply.byteOffset, reply.byteLength);
  if (reply[0] !== 1) {
    const text = new TextDecoder('latin1').decode(reply.subarray(8, 8 + (reply[1] ?? 0)));
    return { type: 'refused', text: text.replace(/[^\x20-\x7e]/g, ' ').trim() };
  }
  if (reply.length < 40) return undefined;
  const vendorBytes = view.getUint16(24, true);
  const formatsBytes = 8 * view.getUint8(29);
  const root = 40 + padded(vendorBytes) + formatsBytes;
  if (root + 24 > reply.length) return undefined;
  return {
    type: 'accepted',
    setup: {
      rootWindow: view.getUint32(root, true),
      idBase: view.getUint32(12, true),
      idMask: view.getUint32(16, true),
      minKeycode: view.getUint8(34),
      maxKeycode: view.getUint8(35),
      screen: {
        x: 0,
        y: 0,
        width: view.getUint16(root + 20, true),
        height: view.getUint16(root + 22, true),
        scale: 1,
      },
    },
  };
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
