import { EXIT, TelemetryError } from '../core/errors.ts';
import { fail } from './fail.ts';
import type { CliIo } from './io.ts';

/** What went wrong with some of many files: each is named, and what to do about it is said once. */
export class Failures {
  readonly #io: CliIo;
  readonly #hints = new Set<string>();
  #count = 0;
  #notPermitted = 0;

  constructor(io: CliIo) {
    this.#io = io;
  }

  add(error: unknown): void {
    this.#count++;
    if (!(error instanceof TelemetryError)) {
      fail(error, this.#io);
      return;
    }
    const { code, message, hint, cause } = error;
    if (code === 'not-permitted') this.#notPermitted++;
    fail(new TelemetryError(code, message, { hint: this.#hints.has(hint) ? '' : hint, cause }), this.#io);
    this.#hints.add(hint);
  }

  /** The exit code of a command that was given so many files. */
  exitCode(files: number): number {
    if (this.#count === 0) return EXIT.ok;
    if (this.#count < files) return EXIT.partly;
    return this.#notPermitted === files ? EXIT.notPermitted : EXIT.failed;
  }
}
