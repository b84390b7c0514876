/** Process exit codes of all programs; documented in the README. */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** Usage, or refused by a limit. */
  usage: 2,
  partly: 3,
  daemonDown: 10,
  notPermitted: 11,
  badConfiguration: 12,
  interrupted: 130,
} as const;

/** What a {@link TelemetryError} is about; {@link exitCodeFor} maps each to an exit code. */
export type ErrorCode =
  | 'failed'
  | 'usage'
  | 'limit'
  | 'partly'
  | 'daemon-down'
  | 'not-permitted'
  | 'bad-configuration'
  | 'bad-segment'
  | 'unavailable'
  | 'interrupted';

export interface ErrorDetails {
  /** What was being done, as a short noun phrase: `read policy`. */
  readonly op?: string;
  /** What to do about it, printed after `Try: `. */
  readonly hint?: string;
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

/** The one error class for what a caller cannot plan for. `message` is one line a person can read. */
export class TelemetryError extends Error {
  readonly code: ErrorCode;
  readonly op: string;
  readonly hint: string;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'TelemetryError';
    this.code = code;
    this.op = details.op ?? '';
    this.hint = details.hint ?? '';
    this.retryable = details.retryable ?? false;
  }
}

/** The one place where errors become exit codes. Anything that is not ours is 1. */
export function exitCodeFor(error: unknown): number {
  if (!(error instanceof TelemetryError)) return EXIT.failed;
  switch (error.code) {
    case 'usage':
    case 'limit':
      return EXIT.usage;
    case 'partly':
      return EXIT.partly;
    case 'daemon-down':
      return EXIT.daemonDown;
    case 'not-permitted':
      return EXIT.notPermitted;
    case 'bad-configuration':
      return EXIT.badConfiguration;
    case 'interrupted':
      return EXIT.interrupted;
    case 'failed':
    case 'bad-segment':
    case 'unavailable':
      return EXIT.failed;
  }
}

/** The message of anything that was thrown, as one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0] ?? '';
}
