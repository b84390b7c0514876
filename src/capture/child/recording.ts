import { createReadStream } from 'node:fs';
import { BackendFailure } from './backend.ts';

/** What a recording's `kind` column says. */
export const RECORDED = { move: 0, down: 1, up: 2, wheel: 3, keydown: 4, keyup: 5, repeat: 6 } as const;

/** One line: `a` is the button, the wheel's dx or the evdev key code, `b` the wheel's dy. */
export interface RecordedEvent {
  readonly tUs: number;
  readonly kind: number;
  readonly x: number;
  readonly y: number;
  readonly a: number;
  readonly b: number;
}

const HEADER = 't_us,kind,x,y,a,b';
/** No line of six numbers is longer: a file without line ends is not read into memory whole. */
const MAX_LINE_CHARS = 200;

/** Reads a recording line by line; throws {@link BackendFailure} with the file and line of what is wrong. */
export async function* readRecording(file: string, signal: AbortSignal): AsyncGenerator<RecordedEvent> {
  let lineNumber = 0;
  for await (const line of readLines(file, signal)) {
    lineNumber += 1;
    if (lineNumber === 1) {
      if (line !== HEADER) throw badLine(file, 1, `is not the header "${HEADER}"`);
      continue;
    }
    if (line === '') continue;
    yield parseEvent(line, file, lineNumber);
  }
  if (lineNumber === 0)
    throw badLine(file, 1, `is missing: the file is empty and should begin with "${HEADER}"`);
}

function parseEvent(line: string, file: string, lineNumber: number): RecordedEvent {
  const fields = line.length > MAX_LINE_CHARS ? [] : line.split(',');
  if (fields.length !== 6 || !fields.every(isWholeNumber)) {
    throw badLine(file, lineNumber, 'is not six whole numbers separated by commas');
  }
  const [tUs = 0, kind = 0, x = 0, y = 0, a = 0, b = 0] = fields.map(Number);
  if (tUs < 0) throw badLine(file, lineNumber, 'has a time before the start');
  if (kind < RECORDED.move || kind > RECORDED.repeat)
    throw badLine(file, lineNumber, 'has a kind that is not 0 to 6');
  return { tUs, kind, x, y, a, b };
}

/** Up to 15 digits for a time of any length; positions wrap no 32-bit column at 9. */
function isWholeNumber(field: string, column: number): boolean {
  return column === 0 ? /^\d{1,15}$/.test(field) : /^-?\d{1,9}$/.test(field);
}

async function* readLines(file: string, signal: AbortSignal): AsyncGenerator<string> {
  let rest = '';
  try {
    for await (const chunk of createReadStream(file, { encoding: 'latin1', signal })) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
      // Cut to what is already too long: the parser refuses it with its line.
      rest = rest.slice(0, MAX_LINE_CHARS + 1);
    }
  } catch (cause) {
    throw new BackendFailure(
      'recording-unreadable',
      `The recording ${file} cannot be read.`,
      'check the path and its permissions',
      cause,
    );
  }
  if (rest !== '') yield rest;
}

/** Says where and what, never the line itself: recordings hold input. */
function badLine(file: string, lineNumber: number, what: string): BackendFailure {
  return new BackendFailure(
    'bad-recording',
    `${file}:${lineNumber}: this line ${what}.`,
    'mend or cut the recording there',
  );
}
