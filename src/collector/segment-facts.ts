import type { SegmentFacts } from './catalog.ts';
import { parseUuid } from './segment-key.ts';

/** What a device says of a segment in the address that it sends it to. */
export interface ToldFacts {
  readonly sequence?: number;
  readonly receipt?: string;
  /** How long its person was told that it is kept. */
  readonly promisedMs?: number;
}

/**
 * `?sequence=7&receipt=UUID&retention=SECONDS`. What is of another form comes from a later version: it counts as not
 * said, and is no reason to refuse what it came with.
 */
export function readFacts(query: unknown): ToldFacts {
  const { sequence, receipt, retention } = (query ?? {}) as Readonly<Record<string, unknown>>;
  const number = wholeNumber(sequence);
  const id = typeof receipt === 'string' ? parseUuid(receipt) : undefined;
  const seconds = wholeNumber(retention);
  return {
    ...(number === undefined ? {} : { sequence: number }),
    ...(id === undefined ? {} : { receipt: id }),
    ...(seconds === undefined ? {} : { promisedMs: seconds * 1000 }),
  };
}

/** When it must go: as was promised to its person, and never later than this collector keeps anything. */
export function factsOfRecord(
  { promisedMs, ...told }: ToldFacts,
  receivedAtMs: number,
  retentionMs: number,
): SegmentFacts & { readonly expiresAtMs: number } {
  return { ...told, expiresAtMs: receivedAtMs + Math.min(retentionMs, promisedMs ?? retentionMs) };
}

/** Up to 12 digits: 31,000 years of seconds. */
function wholeNumber(text: unknown): number | undefined {
  return typeof text === 'string' && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}
