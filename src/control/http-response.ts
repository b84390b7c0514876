import { TelemetryError } from '../core/errors.ts';

/** The daemon's own headers are under 300 bytes. */
const MAX_HEAD_BYTES = 16 * 1024;
/** `hex length; extensions`: nothing of ours is longer than 8 characters. */
const MAX_CHUNK_LINE_BYTES = 128;

/** What a piece of the response turned out to be. `end` comes once, last. */
type ResponsePart =
  | { readonly type: 'head'; readonly status: number }
  | { readonly type: 'body'; readonly bytes: Buffer }
  | { readonly type: 'end' };

type Phase = 'head' | 'length' | 'chunk-line' | 'chunk' | 'chunk-end' | 'trailer' | 'until-close' | 'done';

/**
 * Takes an HTTP/1.1 response apart as its bytes arrive (RFC 9112, sections 4 to 7). It keeps at most one line that is
 * not complete yet, whatever the other side sends; anything that is not such a response throws.
 */
export class ResponseReader {
  #phase: Phase = 'head';
  #pending: Buffer = Buffer.alloc(0);
  /** Bytes of the body or chunk that are still to come. */
  #left = 0;

  /** Whether the response is complete when the connection ends now. */
  get isComplete(): boolean {
    return this.#phase === 'done' || this.#phase === 'until-close';
  }

  push(bytes: Buffer): ResponsePart[] {
    const parts: ResponsePart[] = [];
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    while (this.#phase !== 'done' && this.#step(parts));
    return parts;
  }

  /** One step; `false` when it needs more bytes. */
  #step(parts: ResponsePart[]): boolean {
    switch (this.#phase) {
      case 'head':
        return this.#head(parts);
      case 'length':
      case 'chunk':
        return this.#sized(parts);
      case 'until-close':
        return this.#rest(parts);
      case 'chunk-line':
        return this.#chunkLine();
      case 'chunk-end':
        return this.#expectLine('', 'chunk-line');
      case 'trailer':
        return this.#trailer(parts);
      case 'done':
        return false;
    }
  }

  #head(parts: ResponsePart[]): boolean {
    const end = this.#pending.indexOf('\r\n\r\n');
    if (end > MAX_HEAD_BYTES || (end < 0 && this.#pending.length > MAX_HEAD_BYTES))
      throw broken('its headers have no end');
    if (end < 0) return false;
    const [statusLine = '', ...lines] = this.#pending.toString('latin1', 0, end).split('\r\n');
    this.#pending = this.#pending.subarray(end + 4);
    const status = Number(/^HTTP\/1\.[01] ([2-5]\d\d)(?: |$)/.exec(statusLine)?.[1] ?? 0);
    if (status === 0) throw broken('it does not speak HTTP');
    parts.push({ type: 'head', status });
    const headers = parseHeaders(lines);
    const length = headers.get('content-length');
    if (headers.has('transfer-encoding')) {
      if (length !== undefined || headers.get('transfer-encoding') !== 'chunked')
        throw broken('its encoding is not known');
      this.#phase = 'chunk-line';
    } else if (length !== undefined) {
      if (!/^\d{1,15}$/.test(length)) throw broken('its length is not a number');
      this.#left = Number(length);
      this.#phase = 'length';
    } else {
      this.#phase = 'until-close';
    }
    return true;
  }

  #sized(parts: ResponsePart[]): boolean {
    if (this.#left > 0 && this.#pending.length === 0) return false;
    const bytes = this.#pending.subarray(0, this.#left);
    this.#pending = this.#pending.subarray(bytes.length);
    this.#left -= bytes.length;
    if (bytes.length > 0) parts.push({ type: 'body', bytes });
    if (this.#left > 0) return false;
    if (this.#phase === 'chunk') this.#phase = 'chunk-end';
    else this.#finish(parts);
    return true;
  }

  #rest(parts: ResponsePart[]): boolean {
    if (this.#pending.length > 0) parts.push({ type: 'body', bytes: this.#pending });
    this.#pending = Buffer.alloc(0);
    return false;
  }

  #chunkLine(): boolean {
    const line = this.#line();
    if (line === undefined) return false;
    const size = /^([0-9a-f]{1,8})(?:[ \t]*;.*)?$/i.exec(line)?.[1];
    if (size === undefined) throw broken('a chunk has no length');
    this.#left = Number.parseInt(size, 16);
    this.#phase = this.#left === 0 ? 'trailer' : 'chunk';
    return true;
  }

  #expectLine(wanted: string, next: Phase): boolean {
    const line = this.#line();
    if (line === undefined) return false;
    if (line !== wanted) throw broken('a chunk is longer than it says');
    this.#phase = next;
    return true;
  }

  #trailer(parts: ResponsePart[]): boolean {
    if (!this.#expectLine('', 'done')) return false;
    this.#finish(parts);
    return true;
  }

  #finish(parts: ResponsePart[]): void {
    this.#phase = 'done';
    parts.push({ type: 'end' });
  }

  #line(): string | undefined {
    const end = this.#pending.indexOf('\r\n');
    if (end > MAX_CHUNK_LINE_BYTES || (end < 0 && this.#pending.length > MAX_CHUNK_LINE_BYTES)) {
      throw broken('a chunk has no length');
    }
    if (end < 0) return undefined;
    const line = this.#pending.toString('latin1', 0, end);
    this.#pending = this.#pending.subarray(end + 2);
    return line;
  }
}

function parseHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) throw broken('a header has no name');
    const name = line.slice(0, colon).toLowerCase();
    if (headers.has(name) && name === 'content-length') throw broken('it gives two lengths');
    headers.set(
      name,
      line
        .slice(colon + 1)
        .trim()
        .toLowerCase(),
    );
  }
  return headers;
}

function broken(what: string): TelemetryError {
  return new TelemetryError('unavailable', `What answers at the control socket is no telemetryd: ${what}.`, {
    op: 'read the reply',
    hint: 'telemetryd run',
  });
}
