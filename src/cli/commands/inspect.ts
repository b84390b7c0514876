import { resolve } from 'node:path';
import type { Command } from 'commander';
import { EXIT, TelemetryError } from '../../core/errors.ts';
import { readSegment } from '../../segment/read.ts';
import { eventRecords } from '../../segment/records.ts';
import type { Segment } from '../../segment/types.ts';
import { readPlainFile } from '../../spool/durable-file.ts';
import { listSegments } from '../../spool/list-segments.ts';
import type { Finish } from '../command-module.ts';
import { restingPlace } from '../daemon.ts';
import { fail } from '../fail.ts';
import { type CliIo, OutputClosed } from '../io.ts';
import { eventLine } from '../text/event-line.ts';
import { segmentPage } from '../text/segment-page.ts';

/** Printing line by line would be one system call an event; an hour of events then takes seconds. */
const BATCH_CHARACTERS = 64 * 1024;

const EXAMPLES = `
Without a file it reads everything that is still on this device, oldest first.
Exit codes: 1 when no file could be read, 3 when some could not.

Examples:
  telemetryctl inspect
  telemetryctl inspect segment.tlm --events | less
  telemetryctl inspect segment.tlm --json | jq -c 'select(.kind == "down")'`;

interface Options {
  events?: true;
  json?: true;
}

/** Adds `inspect [FILE…] [--events] [--json]`. */
export function define(command: Command, io: CliIo, finish: Finish): void {
  command
    .argument('[file...]', 'segment files')
    .option('--events', 'print a readable list of the events')
    .option('--json', 'print the events as JSON lines')
    .addHelpText('after', EXAMPLES)
    .action((files: readonly string[], options: Options) => finish(inspect(files, options, io)));
}

function inspect(files: readonly string[], options: Options, io: CliIo): number {
  const paths = files.length > 0 ? files : listSegments(restingPlace(io).stateDir).map(({ path }) => path);
  if (paths.length === 0) io.err('telemetryctl: nothing is recorded on this device.\n');
  let failures = 0;
  for (const [at, path] of paths.entries()) {
    try {
      const bytes = read(resolve(io.around.cwd, path));
      const segment = readSegment(bytes);
      if (options.json === true) printLines(io, jsonLines(segment));
      else if (options.events === true) printLines(io, eventLines(segment));
      else io.out(`${at === 0 ? '' : '\n'}${segmentPage(path, segment, bytes.length)}`);
    } catch (error) {
      if (error instanceof OutputClosed) throw error;
      failures++;
      fail(inFile(path, error), io);
    }
  }
  if (failures === 0) return EXIT.ok;
  return failures === paths.length ? EXIT.failed : EXIT.partly;
}

function read(path: string): Uint8Array {
  const bytes = readPlainFile(path);
  if (bytes !== undefined) return bytes;
  throw new TelemetryError('failed', 'there is no such file', {
    hint: 'telemetryctl inspect lists what there is',
  });
}

function inFile(path: string, error: unknown): unknown {
  if (!(error instanceof TelemetryError) || error.message.includes(path)) return error;
  return new TelemetryError(error.code, `${path}: ${error.message}`, { hint: error.hint, cause: error });
}

function* jsonLines(segment: Segment): Generator<string> {
  for (const record of eventRecords(segment)) yield JSON.stringify(record);
}

function* eventLines(segment: Segment): Generator<string> {
  for (const record of eventRecords(segment)) yield eventLine(record);
}

function printLines(io: CliIo, lines: Iterable<string>): void {
  let batch = '';
  for (const line of lines) {
    batch += `${line}\n`;
    if (batch.length < BATCH_CHARACTERS) continue;
    io.out(batch);
    batch = '';
  }
  if (batch !== '') io.out(batch);
}
