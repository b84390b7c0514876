import type { StatusReport } from '../core/status.ts';
import { statusLine } from '../core/status-line.ts';

/** Where the status goes: a terminal with its width, or anything else. */
export interface Screen {
  readonly isTerminal: boolean;
  readonly columns: () => number;
  write(text: string): void;
}

/** On a terminal one line that changes in place; elsewhere a line for each change of state, and silence between. */
export class LiveStatus {
  readonly #screen: Screen;
  #state = '';
  #isLineOpen = false;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  show(report: StatusReport): void {
    const line = statusLine(report);
    if (this.#screen.isTerminal) {
      this.#screen.write(`\r\x1b[K${line.slice(0, this.#screen.columns() - 1)}`);
      this.#isLineOpen = true;
    } else if (report.collection.state !== this.#state) {
      this.#screen.write(`${line}\n`);
    }
    this.#state = report.collection.state;
  }

  /** Writes whole lines below the status. */
  say(lines: readonly string[]): void {
    this.#screen.write(`${this.#isLineOpen ? '\n' : ''}${lines.map((line) => `${line}\n`).join('')}`);
    this.#isLineOpen = false;
  }
}
