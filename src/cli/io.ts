import type { Surroundings } from '../control/locations.ts';
import type { Clock } from '../core/clock.ts';

/** Everything a command may touch besides the daemon and files. The real one is `io-node.ts`. */
export interface CliIo {
  readonly around: Surroundings;
  readonly clock: Clock;
  /** Whether someone can answer a question: standard input and standard error are a terminal. */
  readonly canAsk: boolean;
  /** Whether standard output is a terminal. */
  readonly isTerminal: boolean;
  /** Whether progress can be shown: standard error is a terminal. */
  readonly hasProgress: boolean;
  /** Whether to colour standard output; never without a terminal. */
  readonly hasColour: boolean;
  /** Aborted by Ctrl-C; without it the signal ends the process at once. Ask for it only where there is something to end. */
  readonly interrupted: AbortSignal;
  /** What was asked for. Throws {@link OutputClosed} when the reader has gone. */
  out(text: string): void;
  /** Everything else. */
  err(text: string): void;
  /** Asks on the terminal and resolves with the line typed; `""` at the end of input. */
  ask(question: string): Promise<string>;
}

/** Whoever read standard output has what they wanted (`| head`): stop quietly. */
export class OutputClosed extends Error {}
