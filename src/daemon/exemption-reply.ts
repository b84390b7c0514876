import type { ExemptionDecision } from '../core/exemption.ts';
import type { TrustedReply } from './reply-trust.ts';

/** What a collector says of a request that is known to be the one that was asked after. */
export type ExemptionAnswer =
  | { readonly kind: 'pending' | 'withdrawn' }
  | { readonly kind: 'decided'; readonly decision: Omit<ExemptionDecision, 'atWallMs'> };

/** A name and some sentences: the collector's own limits. */
const MAX_NAME_CHARACTERS = 100;
const MAX_REASON_CHARACTERS = 1000;

/** Reads a reply that was judged to be trusted; `null` when it says nothing that this version knows. */
export function readExemptionAnswer(reply: TrustedReply): ExemptionAnswer | null {
  const { state, by, reason } = reply;
  switch (state) {
    case 'pending':
    case 'withdrawn':
      return { kind: state };
    case 'approved':
    case 'denied':
      return {
        kind: 'decided',
        decision: {
          verdict: state,
          by: line(by, MAX_NAME_CHARACTERS),
          reason: line(reason, MAX_REASON_CHARACTERS),
        },
      };
    default:
      return null;
  }
}

/** Text for people, on one line whoever wrote it. */
function line(value: unknown, maxCharacters: number): string {
  return typeof value === 'string' ? value.replace(/\p{Cc}+/gu, ' ').slice(0, maxCharacters) : '';
}
