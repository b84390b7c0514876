import { parseDuration } from '../core/duration.ts';
import { TelemetryError } from '../core/errors.ts';

/** A day, or a time with its zone: ISO 8601. Without a zone a time would mean another one on each machine. */
const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/;

/** Reads `--since`: a day in UTC, a time with its zone, or so long ago. Milliseconds since the epoch. */
export function readSince(text: string, nowMs: number): number {
  const agoMs = parseDuration(text);
  if (agoMs !== undefined) return Math.max(0, nowMs - agoMs);
  const ms = TIME.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  throw new TelemetryError('usage', `"${text}" is no time`, {
    op: 'read --since',
    hint: '--since 2026-11-26, or 2026-11-26T10:00:00Z, or 7d',
  });
}
