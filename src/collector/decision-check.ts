import type { Decision } from './exemption-book.ts';

/** A name and some sentences; the person reads them on one screen. */
export const MAX_NAME_CHARACTERS = 100;
export const MAX_REASON_CHARACTERS = 1000;

/** What keeps a decision from being recorded; `null` when nothing does. A denial says why. */
export function decisionProblem({ verdict, by, reason }: Decision): 'by' | 'reason' | 'no-reason' | null {
  if (by === '' || !isLine(by, MAX_NAME_CHARACTERS)) return 'by';
  if (verdict === 'denied' && reason === '') return 'no-reason';
  return isLine(reason, MAX_REASON_CHARACTERS) ? null : 'reason';
}

/** Whether it is a line that any page and terminal can show. */
export function isLine(text: string, maxCharacters: number): boolean {
  return text.length <= maxCharacters && !/\p{Cc}/u.test(text);
}
