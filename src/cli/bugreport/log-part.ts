import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Patient } from '../doctor/patient.ts';
import type { CliIo } from '../io.ts';
import { programOutput } from '../program-output.ts';
import { readIfThere } from './read-if-there.ts';

/** More than weeks of trouble, and what a journal gives within a second. */
const MOST_LINES = 2000;
const JOURNAL_LIMITS = { timeoutMs: 10_000, maxBytes: 16 * 1024 * 1024 };
const UNITS = ['telemetryd.service', 'telemetryd-uploader.service'] as const;
/** Of one value. */
const MOST_CHARACTERS = 300;

/** Below a warning only these: the others tell when somebody worked. */
const LIFE: readonly string[] = ['daemon-started', 'daemon-stopped'];
/** pino's number for a warning, and the journal's. */
const WARNING = { pino: 40, journal: 4 } as const;
/** What is taken over of a line's fields: what went wrong, and never what or how much it was about. */
const FIELDS: readonly string[] = [
  'cause',
  'code',
  'detail',
  'err',
  'error',
  'hasLastGood',
  'mode',
  'problem',
  'problems',
  'reason',
  'signal',
  'status',
  'stderr',
  'version',
];

/** Lines of the daemon's log that tell of trouble, the oldest first, made of names, codes and errors alone. */
export function logPart(text: string): string {
  const lines = text.split('\n').flatMap((line) => kept(line) ?? []);
  return lines
    .slice(-MOST_LINES)
    .map((line) => `${line}\n`)
    .join('');
}

/** What the daemon logged here: of a file that the person names, or of the places where it logs by itself. */
export async function readLog({ io, stateDir }: Patient, file: string | null): Promise<string> {
  if (file !== null) return readFileSync(file, 'utf8');
  const { platform, home } = io.around;
  if (platform === 'darwin') return readIfThere(join(home, 'Library/Logs/telemetryd.log'));
  const [own, system] = await Promise.all([
    journal(['--user', ...UNITS.map((unit) => `--user-unit=${unit}`)], io),
    journal(
      UNITS.map((unit) => `--unit=${unit}`),
      io,
    ),
  ]);
  return [readIfThere(join(stateDir, 'demonstration.log')), system, own]
    .filter((text) => text !== '')
    .join('\n');
}

/** What the journal has of some units, as JSON; `''` where there is none. */
async function journal(which: readonly string[], io: CliIo): Promise<string> {
  const args = [...which, '-o', 'json', '--no-pager', '-q', '-n', String(MOST_LINES)];
  return (await programOutput('journalctl', args, io, JOURNAL_LIMITS)) ?? '';
}

function kept(line: string): string | undefined {
  const fields = parsed(line.replace(/^<\d>/, ''));
  if (fields === undefined) return frameOf(line);
  const message = fields['MESSAGE'];
  // An entry of the journal: with fields of its own, or with a line of ours as its message.
  if (message === undefined) return ours(fields);
  if (fields['TELEMETRYD_EVENT'] === undefined)
    return typeof message === 'string' ? kept(message) : undefined;
  const priority = Number(fields['PRIORITY']);
  return ours({
    ...Object.fromEntries(
      FIELDS.map((name) => [name, fields[`TELEMETRYD_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`]]),
    ),
    event: fields['TELEMETRYD_EVENT'],
    level: priority <= WARNING.journal ? WARNING.pino : 0,
    time: Number(fields['__REALTIME_TIMESTAMP']) / 1000,
  });
}

/** A line of pino's. */
function ours(fields: Readonly<Record<string, unknown>>): string | undefined {
  const { event, level, time } = fields;
  if (typeof event !== 'string' || !/^[a-z-]{1,60}$/.test(event)) return undefined;
  const isTrouble = Number(level) >= WARNING.pino;
  if (!isTrouble && !LIFE.includes(event)) return undefined;
  const told = FIELDS.flatMap((name) => {
    const value = fields[name];
    if (value === undefined || value === null) return [];
    return [
      `${name}=${(typeof value === 'string' ? value : JSON.stringify(value)).replaceAll(/\s+/g, ' ').slice(0, MOST_CHARACTERS)}`,
    ];
  });
  return [minute(Number(time)), isTrouble ? 'trouble' : 'life', event, ...told].join(' ');
}

/** Of a crash the kind of error and where it was; its message may hold anything. */
function frameOf(line: string): string | undefined {
  const frame = /^\s+at (?:[\w.<>#$ [\]]+ \()?(?:file:\/\/)?([\w./:@-]+:\d+:\d+)\)?$/.exec(line)?.[1];
  if (frame !== undefined) return `    at ${frame}`;
  return /^(?:Uncaught )?([A-Z]\w*Error)\b/.exec(line)?.[1];
}

function minute(wallMs: number): string {
  return Number.isFinite(wallMs) ? `${new Date(wallMs).toISOString().slice(0, 16)}Z` : '-';
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const json: unknown = JSON.parse(line);
    return typeof json === 'object' && json !== null ? { ...json } : undefined;
  } catch {
    return undefined;
  }
}
