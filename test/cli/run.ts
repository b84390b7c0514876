import { type CliIo, OutputClosed } from '../../src/cli/io.ts';
import { main } from '../../src/cli/main.ts';
import type { Instant } from '../../src/core/clock.ts';

/** The moment at which the tests' reports are read. */
export const NOW: Instant = {
  wallMs: Date.parse('2026-11-24T14:00:00.500Z'),
  bootMs: 50_000_000,
  monoMs: 40_000_000,
};

/** What a test gives a command besides its words. */
export interface Given {
  readonly stateDir: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Answers to questions; without them nobody can be asked. */
  readonly answers?: readonly string[];
  readonly isTerminal?: boolean;
  /** Standard error is a terminal. */
  readonly hasProgress?: boolean;
  readonly interrupted?: AbortSignal;
  /** The reader of standard output leaves after so many writes. */
  readonly readsOnly?: number;
  readonly bootId?: string;
  /** Called whenever the time is read. */
  readonly onClock?: () => void;
  /** Called after each write to standard output. */
  readonly onOut?: (text: string) => void;
}

/** What came of a command. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly asked: readonly string[];
}

/** Runs the real `main` with recorded streams. */
export async function run(words: readonly string[], given: Given): Promise<Outcome> {
  const out: string[] = [];
  const asked: string[] = [];
  const answers = [...(given.answers ?? [])];
  let err = '';
  const io: CliIo = {
    around: {
      env: { TELEMETRYD_STATE_DIR: given.stateDir, ...given.env },
      uid: process.getuid?.() ?? 0,
      platform: process.platform,
      home: given.stateDir,
      cwd: given.stateDir,
    },
    clock: {
      now: () => {
        given.onClock?.();
        return NOW;
      },
      bootId: given.bootId ?? 'this-boot',
    },
    canAsk: given.answers !== undefined,
    isTerminal: given.isTerminal ?? false,
    hasProgress: given.hasProgress ?? false,
    hasColour: given.isTerminal ?? false,
    interrupted: given.interrupted ?? new AbortController().signal,
    out: (text) => {
      if (out.length === given.readsOnly) throw new OutputClosed();
      out.push(text);
      given.onOut?.(text);
    },
    err: (text) => {
      err += text;
    },
    ask: (question) => {
      asked.push(question);
      return Promise.resolve(answers.shift() ?? '');
    },
  };
  const code = await main(words, io);
  return { code, out: out.join(''), err, asked };
}
