import { parseFacts } from '../facts-file.ts';
import type { SealedFacts } from '../sealed-file.ts';

/** What came of cutting a segment file. `removed` counts events. */
export type CutResult =
  /** Nothing in it happened in that time. */
  | { readonly kind: 'untouched' }
  /** Nothing is left. */
  | { readonly kind: 'emptied'; readonly removed: number }
  | { readonly kind: 'cut'; readonly removed: number; readonly facts: SealedFacts; readonly isAge: boolean }
  /** It cannot be opened, or nobody could open what is left: it goes as a whole. */
  | { readonly kind: 'closed' };

/** Checks what came of a cut, also where it came from another program. */
export function parseCut(json: unknown): CutResult {
  const fields: Readonly<Record<string, unknown>> =
    typeof json === 'object' && json !== null ? { ...json } : {};
  switch (fields['kind']) {
    case 'untouched':
    case 'closed':
      return { kind: fields['kind'] };
    case 'emptied':
      return { kind: 'emptied', removed: countOf(fields['removed']) };
    case 'cut':
      return {
        kind: 'cut',
        removed: countOf(fields['removed']),
        facts: parseFacts(fields['facts']),
        isAge: fields['isAge'] === true,
      };
    default:
      throw new Error('no such result');
  }
}

function countOf(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error('no count');
}
