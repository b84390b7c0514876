import { TelemetryError } from '../core/errors.ts';

/**
 * The one error for bytes that are not a segment of this format. `what` says what is wrong, never what the bytes
 * hold; `offset` counts bytes from the start of the file.
 */
export function badSegment(what: string, offset?: number, cause?: unknown): TelemetryError {
  const where = offset === undefined ? '' : ` at byte ${offset}`;
  return new TelemetryError('bad-segment', `Not a sound segment file: ${what}${where}.`, {
    op: 'read segment',
    hint: 'fetch the file again from where it came; if it is the only copy, keep it and report it',
    cause,
  });
}
