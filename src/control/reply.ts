import { type ErrorCode, TelemetryError } from '../core/errors.ts';

const NEWLINE = 0x0a;

/** Every code that may come over the wire; anything else reads as `failed`. */
const CODES: Readonly<Record<ErrorCode, true>> = {
  failed: true,
  usage: true,
  limit: true,
  partly: true,
  'daemon-down': true,
  'not-permitted': true,
  'bad-configuration': true,
  'bad-segment': true,
  unavailable: true,
  interrupted: true,
};

/** The error that a reply with a 4xx or 5xx status stands for. */
export function errorFromReply(status: number, text: string): TelemetryError {
  const fields = errorFields(text);
  const code = String(fields['code']);
  const message =
    typeof fields['message'] === 'string' ? fields['message'] : `The daemon answered ${status}.`;
  const hint = typeof fields['hint'] === 'string' ? fields['hint'] : '';
  return new TelemetryError(isErrorCode(code) ? code : 'failed', message, { op: 'ask the daemon', hint });
}

function errorFields(text: string): Readonly<Record<string, unknown>> {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null || !('error' in body)) return {};
    return typeof body.error === 'object' && body.error !== null ? { ...body.error } : {};
  } catch {
    return {};
  }
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(CODES, code);
}

/** Cuts a byte stream into its lines; at most `maxLineBytes` wait for their newline. */
export class LineSplitter {
  readonly #maxLineBytes: number;
  #parts: Buffer[] = [];
  #waiting = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The lines that are complete now, without their newlines; empty ones are left out. */
  push(bytes: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      this.#parts.push(bytes.subarray(from, end));
      const line = Buffer.concat(this.#parts).toString('utf8');
      if (line !== '') lines.push(line);
      this.#parts = [];
      this.#waiting = 0;
      from = end + 1;
    }
    if (from < bytes.length) {
      this.#parts.push(bytes.subarray(from));
      this.#waiting += bytes.length - from;
    }
    if (this.#waiting > this.#maxLineBytes) {
      throw new TelemetryError('unavailable', 'The daemon sends a line without an end.', {
        op: 'read the stream',
      });
    }
    return lines;
  }
}
