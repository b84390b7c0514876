import { TelemetryError } from '../core/errors.ts';
import type { CliIo } from './io.ts';

/** Asks unless the answer came as an option; anything but yes changes nothing. */
export async function confirm(io: CliIo, isYes: boolean, hint: string, question: string): Promise<void> {
  if (isYes) return;
  requireAnswer(io, isYes, hint);
  if (await isAgreed(io, question)) return;
  throw new TelemetryError('failed', 'The answer was not yes; nothing was changed.', { hint });
}

/** Whether the answer to a question is yes. */
export async function isAgreed(io: CliIo, question: string): Promise<boolean> {
  const answer = (await io.ask(question)).trim().toLowerCase();
  return answer === 'y' || answer === 'yes';
}

/** Without a terminal nobody can answer, and a script that waits for an answer waits for ever. */
export function requireAnswer(io: CliIo, isYes: boolean, hint: string): void {
  if (isYes || io.canAsk) return;
  throw new TelemetryError('usage', 'This needs an answer, and there is no terminal to ask on.', { hint });
}
