import type { MacosInput } from '../../posix/macos-input.ts';
import { BackendFailure, probeFailed } from './backend.ts';

/** From the hardware to our listener an event takes milliseconds; a machine that swaps takes seconds. */
const LATE_MS = 10_000;

/** macOS does not let this program see input. */
export function notPermitted(cause?: unknown): BackendFailure {
  return new BackendFailure(
    'no-permission',
    'macOS does not let telemetryd see input yet.',
    'allow it in System Settings, Privacy & Security, Accessibility and Input Monitoring',
    cause,
  );
}

/**
 * What is wrong with an event tap that was last heard of so long ago; `null` when nothing. macOS takes the permission away
 * and turns taps off without a word: then the hardware is in use and the tap silent. Secure Input keeps keys from taps.
 */
export function tapProblem(input: MacosInput, heardAgoMs: number): BackendFailure | null {
  if (!input.isTrusted()) return notPermitted();
  if (input.isSecureInput() || heardAgoMs - input.idleMs() <= LATE_MS) return null;
  return probeFailed('Input reaches macOS and does not reach the input hook.');
}
