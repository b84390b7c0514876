import { counted, roughBytes } from '../core/amounts.ts';
import type { CliIo } from './io.ts';

/** Often enough to be seen moving, seldom enough to cost nothing. */
const INTERVAL_MS = 100;

/** How far an export is, on one line of a terminal; where nobody looks it says nothing. */
export class ExportProgress {
  readonly #io: CliIo;
  readonly #files: number;
  readonly #isShown: boolean;
  #shownMonoMs = -Infinity;
  #read = 0;
  #events = 0;
  #sizeBytes = 0;

  constructor(io: CliIo, files: number, isShown: boolean) {
    this.#io = io;
    this.#files = files;
    this.#isShown = isShown;
  }

  /** One file more was read; 0 events for one that could not be. */
  step(events: number, sizeBytes: number): void {
    this.#read++;
    this.#events += events;
    this.#sizeBytes += sizeBytes;
    if (!this.#isShown) return;
    const { monoMs } = this.#io.clock.now();
    if (monoMs - this.#shownMonoMs < INTERVAL_MS) return;
    this.#shownMonoMs = monoMs;
    const share = Math.floor((100 * this.#read) / Math.max(1, this.#files));
    this.#io.err(`\r\u001b[K${share} %  ${this.#read} of ${counted(this.#files, 'file')}, ${this.#amount()}`);
  }

  /** Takes the line away, for a message or for good. */
  clear(): void {
    if (this.#shownMonoMs === -Infinity) return;
    this.#shownMonoMs = -Infinity;
    this.#io.err('\r\u001b[K');
  }

  /** Says what is in the file that was made. */
  done(path: string): void {
    this.clear();
    if (this.#isShown) this.#io.err(`${path}: ${this.#amount()}\n`);
  }

  #amount(): string {
    return `${counted(this.#events, 'event')} from ${roughBytes(this.#sizeBytes)}`;
  }
}
