import { fstatSync, writeSync } from 'node:fs';
import pino from 'pino';
import type { Log } from '../core/clock.ts';
import { JournalSocket } from '../posix/journal-socket.ts';
import type { Libc } from '../posix/libc-koffi.ts';

/** syslog(3) priorities by pino's levels. */
const PRIORITIES: Readonly<Record<number, number>> = { 10: 7, 20: 7, 30: 6, 40: 4, 50: 3, 60: 2 };

/** What the log needs to know. */
export interface LogOptions {
  readonly level: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `null` where the bridge to the system is missing. */
  readonly libc: Libc | null;
  /** The descriptor of standard output. */
  readonly stdout: number;
  /** Another journal's socket, for tests. */
  readonly journalPath?: string;
}

/**
 * The daemon's log: JSON lines on standard output. Where that is systemd's journal, entries with a priority and fields
 * of their own instead (`TELEMETRYD_EVENT=segment-sent`), and should it not take one, the line with its priority before it.
 */
export function daemonLog({ level, env, libc, stdout, journalPath }: LogOptions): Log {
  const options = { level, base: { pid: process.pid } };
  if (!isJournal(env['JOURNAL_STREAM'], stdout)) return pino(options, pino.destination(stdout));
  const journal = libc === null ? null : new JournalSocket(libc, journalPath);
  return pino(options, {
    write: (line: string) => {
      const fields = JSON.parse(line) as Record<string, unknown>;
      const priority = PRIORITIES[Number(fields['level'])] ?? PRIORITIES[30];
      if (journal?.send(journalFields(fields, String(priority))) === true) return;
      // sd-daemon(3): the journal takes a line's priority from here.
      writeSync(stdout, `<${priority}>${line}`);
    },
  });
}

/** systemd names device and inode of what it connected (systemd.exec(5)); a redirection may have replaced it. */
function isJournal(stream: string | undefined, stdout: number): boolean {
  if (stream === undefined) return false;
  const { dev, ino } = fstatSync(stdout, { bigint: true });
  return stream === `${dev}:${ino}`;
}

/** What pino says of itself and the journal knows better. */
const LEFT_OUT: readonly string[] = ['level', 'time', 'pid', 'msg'];

function journalFields(fields: Readonly<Record<string, unknown>>, priority: string): Record<string, string> {
  const entry: Record<string, string> = {
    MESSAGE: String(fields['msg']),
    PRIORITY: priority,
    SYSLOG_IDENTIFIER: 'telemetryd',
  };
  for (const [name, value] of Object.entries(fields)) {
    if (LEFT_OUT.includes(name)) continue;
    // Names of the journal: upper case, and none begins with an underscore.
    const upper = name.replace(/[A-Z]/g, '_$&').toUpperCase();
    entry[`TELEMETRYD_${upper}`] = typeof value === 'string' ? value : JSON.stringify(value);
  }
  return entry;
}
