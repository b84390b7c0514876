import type { Reason } from './collection.ts';
import type { Policy } from './policy.ts';

/**
 * Why nothing may be captured under a policy although its file is valid: it asks for protection or detail that this
 * version does not have, and to capture without would break its promise. `null` when capture may go ahead.
 */
export function captureRefusal(policy: Policy): Reason | null {
  return REFUSALS.find(({ applies }) => applies(policy))?.reason ?? null;
}

interface Refusal {
  readonly applies: (policy: Policy) => boolean;
  readonly reason: Reason;
}

/** Back ends of this version; the others come later. */
const BACKENDS = ['auto', 'x11', 'uiohook', 'evdev', 'replay'];

const REFUSALS: readonly Refusal[] = [
  {
    applies: (policy) => !BACKENDS.includes(policy.capture.backend),
    reason: {
      code: 'backend-unavailable',
      text: 'The policy names a way of capture (capture.backend) that this version does not have.',
      hint: 'capture.backend = "auto"',
    },
  },
];
