import { follow } from '../control/calls.ts';
import { EXIT, TelemetryError } from '../core/errors.ts';
import type { StatusReport } from '../core/status.ts';
import { statusLine } from '../core/status-line.ts';
import { askDaemon } from './daemon.ts';
import type { CliIo } from './io.ts';
import { statusPage } from './text/status-page.ts';

/** Cursor home, and from there clear what is left of the line, or of the screen (ECMA-48: CUP, EL, ED). */
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/**
 * Shows the status until Ctrl-C (130) or until the daemon stops, which rejects with `daemon-down`. On a terminal one
 * page is drawn over and over; in a pipe each change is one line, of JSON or text.
 */
export async function watchStatus(io: CliIo, { isJson }: { readonly isJson: boolean }): Promise<number> {
  const signal = io.interrupted;
  let isFirst = true;
  const show = (report: StatusReport): void => {
    if (isJson) io.out(`${JSON.stringify(report)}\n`);
    else if (io.isTerminal) io.out(page(report, io, isFirst));
    else io.out(`${statusLine(report)}\n`);
    isFirst = false;
  };
  await askDaemon(io, (socketPath) => follow(socketPath, 'watch', show, signal));
  if (signal.aborted) return EXIT.interrupted;
  throw new TelemetryError('daemon-down', 'The daemon has stopped.', { op: 'watch', hint: 'telemetryd run' });
}

/** Drawn over the last page line by line, so that nothing flickers. */
function page(report: StatusReport, io: CliIo, isFirst: boolean): string {
  const text = statusPage(report, { nowMs: io.clock.now().wallMs, hasColour: io.hasColour });
  return `${isFirst ? `${HOME}${CLEAR_BELOW}` : HOME}${text.replaceAll('\n', `${CLEAR_LINE}\n`)}${CLEAR_BELOW}`;
}
