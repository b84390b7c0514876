import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';

/** The terminal that a question is asked on. */
export interface Terminal {
  readonly input: Readable;
  readonly output: Writable;
}

/** Asks a question; only `y` or `yes` is yes. The end of the input, and an abort, are no. */
export async function asksYes(
  question: string,
  { input, output }: Terminal,
  signal: AbortSignal,
): Promise<boolean> {
  // `terminal: false` leaves the terminal's own line editing on, with which Ctrl-C is a signal to us.
  const reader = createInterface({ input, output, terminal: false });
  try {
    const ended = new Promise<string>((resolve) => reader.once('close', () => resolve('')));
    const answer = await Promise.race([reader.question(`${question} [y/N] `, { signal }), ended]);
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  } finally {
    reader.close();
    input.pause();
  }
}
