import type { Focus } from '../../core/focus.ts';
import type { MacosInput } from '../../posix/macos-input.ts';
import type { FocusHost, FocusSource } from './focus-source.ts';

/**
 * What macOS tells of the focus: not which window has it, but whether what is typed is a secret (Secure Input). Where
 * even that cannot be asked, it counts as one. Asked before events ripen, which throws away what was typed since.
 */
export class FocusMacos implements FocusSource {
  readonly #input: Pick<MacosInput, 'isSecureInput'> | null;
  readonly #nowMonoMs: () => number;
  #host: FocusHost | null = null;
  #kind: Focus['kind'] | null = null;

  constructor(input: Pick<MacosInput, 'isSecureInput'> | null, nowMonoMs: () => number) {
    this.#input = input;
    this.#nowMonoMs = nowMonoMs;
  }

  start(host: FocusHost): Promise<void> {
    this.#host = host;
    this.#look(Number.NEGATIVE_INFINITY);
    return Promise.resolve();
  }

  confirm(): Promise<boolean> {
    this.#look(this.#nowMonoMs());
    return Promise.resolve(true);
  }

  stop(): void {
    this.#host = null;
  }

  #look(atMs: number): void {
    const kind = this.#input === null || this.#input.isSecureInput() ? 'secret' : 'unknown';
    if (kind === this.#kind) return;
    this.#kind = kind;
    this.#host?.changed({ kind }, atMs);
  }
}
