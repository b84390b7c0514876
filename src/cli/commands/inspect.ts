import type { Command } from 'commander';
import type { EventRecord } from '../../core/events.ts';
import type { OpenedSegment } from '../../segment/open-segment.ts';
import { listSegments } from '../../spool/list-segments.ts';
import type { Finish } from '../command-module.ts';
import { restingPlace } from '../daemon.ts';
import { durationArgument } from '../duration-argument.ts';
import { Failures } from '../failures.ts';
import { addIdentityOption } from '../identity-option.ts';
import { type CliIo, OutputClosed } from '../io.ts';
import { SegmentOpener } from '../segment-file.ts';
import { eventLine } from '../text/event-line.ts';
import { segmentPage } from '../text/segment-page.ts';

/** Printing line by line would be one system call an event; an hour of events then takes seconds. */
const BATCH_CHARACTERS = 64 * 1024;

const EXAMPLES = `
Without a file it reads everything that is still on this device, oldest first.
Encrypted files are opened with your own identity, unless --identity names one.
Exit codes: 3 when some files could not be read; 1 when none could, or 11 when
that is for want of an identity.

Examples:
  telemetryctl inspect --since 10m
  telemetryctl inspect segment.tlm.age --identity key.txt --events | less
  telemetryctl inspect segment.tlm --json | jq -c 'select(.kind == "down")'`;

interface Options {
  events?: true;
  json?: true;
  identity?: string[];
  since?: string;
}

/** Adds `inspect [FILE…] [--events] [--json] [--since D] [--identity FILE]`. */
export function define(command: Command, io: CliIo, finish: Finish): void {
  addIdentityOption(command)
    .argument('[file...]', 'segment files')
    .option('--events', 'print a readable list of the events')
    .option('--json', 'print the events as JSON lines')
    .option('--since <duration>', 'only what was recorded since, such as 10m')
    .addHelpText('after', EXAMPLES)
    .action(async (files: readonly string[], options: Options) => finish(await inspect(files, options, io)));
}

async function inspect(files: readonly string[], options: Options, io: CliIo): Promise<number> {
  const sinceMs =
    options.since === undefined
      ? -Infinity
      : io.clock.now().wallMs - durationArgument(options.since, 'telemetryctl inspect --since');
  const opener = new SegmentOpener(io, options.identity ?? []);
  await opener.prepare();
  const paths = files.length > 0 ? files : listSegments(restingPlace(io).stateDir).map(({ path }) => path);
  if (paths.length === 0) io.err('telemetryctl: nothing is recorded on this device.\n');
  const failures = new Failures(io);
  let shown = 0;
  for (const path of paths) {
    try {
      const file = await opener.open(path);
      const { segment } = file;
      if (options.json === true) printLines(io, jsonLines(segment, sinceMs));
      else if (options.events === true) printLines(io, eventLines(segment, sinceMs));
      else if (hasAnySince(segment, sinceMs)) {
        io.out(`${shown++ === 0 ? '' : '\n'}${segmentPage(path, file)}`);
      }
    } catch (error) {
      if (error instanceof OutputClosed) throw error;
      failures.add(error);
    }
  }
  return failures.exitCode(paths.length);
}

/** A segment without events counts by when it began. */
function hasAnySince(segment: OpenedSegment, sinceMs: number): boolean {
  return segment.header.startWallMs >= sinceMs || segment.wallTimes().some((wallMs) => wallMs >= sinceMs);
}

function* eventsSince(segment: OpenedSegment, sinceMs: number): Generator<EventRecord> {
  for (const record of segment.events()) if (record.t >= sinceMs) yield record;
}

function* jsonLines(segment: OpenedSegment, sinceMs: number): Generator<string> {
  for (const record of eventsSince(segment, sinceMs)) yield JSON.stringify(record);
}

function* eventLines(segment: OpenedSegment, sinceMs: number): Generator<string> {
  for (const record of eventsSince(segment, sinceMs)) yield eventLine(record);
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
