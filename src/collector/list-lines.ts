import { INDEX_SCHEMA, type IndexLine, summarizeSequence } from './index-lines.ts';
import type { UsableSegment, UseBook } from './use-book.ts';

/** From when on a list is wanted; `null`: all of it. */
export interface ListRange {
  readonly sinceMs: number | null;
  readonly nowMs: number;
}

/** Version of the lines of `erased`; fields and types are only ever added. */
export const ERASED_SCHEMA = 1;

/** What copies must not have any more, a line each; without the `end` it was cut short. */
export type ErasedLine =
  | {
      readonly type: 'erased';
      readonly schema: typeof ERASED_SCHEMA;
      readonly at: string;
      readonly since: string | null;
    }
  | {
      readonly type: 'segment';
      readonly device: string;
      readonly segment: string;
      readonly at: string;
      readonly why: 'deleted' | 'withdrawn' | 'expired';
    }
  | { readonly type: 'end'; readonly segments: number };

/** The lines of the index, made as they are asked for: one device's numbers are in memory, not its segments. */
export async function* indexLines(
  use: Pick<UseBook, 'usable'>,
  range: ListRange,
): AsyncGenerator<IndexLine, void, undefined> {
  const total = { devices: 0, segments: 0, sizeBytes: 0 };
  let device = null as OneDevice | null;
  yield {
    type: 'index',
    ...headOf(INDEX_SCHEMA, range),
  };
  for await (const row of use.usable(range.nowMs, range.sinceMs ?? 0)) {
    let one: OneDevice | null = device;
    if (one === null || one.id !== row.device) {
      if (one !== null) yield one.line();
      one = new OneDevice(row.device);
      total.devices += 1;
    }
    one.add(row);
    device = one;
    total.segments += 1;
    total.sizeBytes += row.sizeBytes;
    yield segmentLine(row);
  }
  if (device !== null) yield device.line();
  yield { type: 'end', ...total };
}

/** The lines of what was dropped. */
export async function* erasedLines(
  use: Pick<UseBook, 'dropped'>,
  range: ListRange,
): AsyncGenerator<ErasedLine, void, undefined> {
  let segments = 0;
  yield {
    type: 'erased',
    ...headOf(ERASED_SCHEMA, range),
  };
  for await (const { device, segment, atMs, why } of use.dropped(range.sinceMs ?? 0)) {
    segments += 1;
    yield { type: 'segment', device, segment, at: iso(atMs), why };
  }
  yield { type: 'end', segments };
}

/** What every list begins with, in this order: the version of its form, when it was made, and from when on it lists. */
export function headOf<Schema extends number>(
  schema: Schema,
  { sinceMs, nowMs }: ListRange,
): { readonly schema: Schema; readonly at: string; readonly since: string | null } {
  return { schema, at: iso(nowMs), since: sinceMs === null ? null : iso(sinceMs) };
}

class OneDevice {
  readonly id: string;
  readonly #numbers: (number | null)[] = [];
  #sizeBytes = 0;

  constructor(id: string) {
    this.id = id;
  }

  add({ sequence, sizeBytes }: UsableSegment): void {
    this.#numbers.push(sequence);
    this.#sizeBytes += sizeBytes;
  }

  line(): IndexLine {
    const sequence = summarizeSequence(this.#numbers);
    return {
      type: 'device',
      device: this.id,
      segments: this.#numbers.length,
      sizeBytes: this.#sizeBytes,
      sequence,
    };
  }
}

function segmentLine(row: UsableSegment): IndexLine {
  const { device, segment, sizeBytes, sha256, receivedAtMs, expiresAtMs, sequence, receipt } = row;
  const times = { receivedAt: iso(receivedAtMs), expiresAt: iso(expiresAtMs) };
  return { type: 'segment', device, segment, sizeBytes, sha256, ...times, sequence, receipt };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
