import type { Command } from 'commander';
import type { EventRecord } from '../../core/events.ts';
import type { OpenedSegment } from '../../segment/open-segment.ts';
import { Activity } from '../activity.ts';
import type { Finish } from '../command-module.ts';
import { restingPlace } from '../daemon.ts';
import { sinceArgument } from '../duration-argument.ts';
import { Failures } from '../failures.ts';
import { addIdentityOption } from '../identity-option.ts';
import { type CliIo, OutputClosed } from '../io.ts';
import { ownSegments } from '../own-data.ts';
import { SegmentOpener } from '../segment-file.ts';
import { eventLine } from '../text/event-line.ts';
import { ownPage } from '../text/own-page.ts';
import { segmentPage } from '../text/segment-page.ts';

/** Printing line by line would be one system call an event; an hour of events then takes seconds. */
const BATCH_CHARACTERS = 64 * 1024;

const EXAMPLES = `
Without a file it shows what was recorded of you and is still on this device, of
the last day unless --since says otherwise; with --json or --events, each event.
Encrypted files are opened with your own identity, unless --identity names one.
Exit codes: 3 when some files could not be read; 1 when none could, or 11 when
that is for want of an identity.

Examples:
  telemetryctl inspect --since 10m
  telemetryctl inspect segment.tlm.age --identity key.txt --events | less
  telemetryctl inspect segment.tlm --json | jq -c 'select(.kind == "down")'`;

const USAGE = 'telemetryctl inspect --since';
const NOTHING = 'telemetryctl: nothing is recorded on this device in that time.\n';
/** What is recent where nobody says. */
const RECENT = '1d';
/** Up to here the timeline counts seconds. */
const FINE_MS = 6 * 3_600_000;

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
  const opener = new SegmentOpener(io, options.identity ?? []);
  await opener.prepare();
  if (files.length === 0 && options.json !== true && options.events !== true) {
    const sinceMs = sinceArgument(options.since ?? RECENT, io, USAGE);
    return await showOwn(io, sinceMs, opener);
  }
  const sinceMs = sinceArgument(options.since, io, USAGE);
  const failures = new Failures(io);
  return files.length > 0
    ? await showFiles(files, { ...options, sinceMs }, { io, opener, failures })
    : await printOwn({ ...options, sinceMs }, { io, opener, failures });
}

interface Tools {
  readonly io: CliIo;
  readonly opener: SegmentOpener;
  readonly failures: Failures;
}

type Wanted = Options & { readonly sinceMs: number };

async function showFiles(files: readonly string[], wanted: Wanted, tools: Tools): Promise<number> {
  const { io, opener, failures } = tools;
  let shown = 0;
  for (const path of files) {
    try {
      const file = await opener.open(path);
      if (printEvents(io, file.segment, wanted) || !hasAnySince(file.segment, wanted.sinceMs)) continue;
      io.out(`${shown++ === 0 ? '' : '\n'}${segmentPage(path, file)}`);
    } catch (error) {
      if (error instanceof OutputClosed) throw error;
      failures.add(error);
    }
  }
  return failures.exitCode(files.length);
}

/** Every event of one's own, one a line. */
async function printOwn(wanted: Wanted, { io, opener, failures }: Tools): Promise<number> {
  let files = 0;
  for await (const found of ownSegments(restingPlace(io).stateDir, wanted.sinceMs, opener)) {
    files++;
    if (found.kind === 'closed') failures.add(found.error);
    else printEvents(io, found.file.segment, wanted);
  }
  if (files === 0) io.err(NOTHING);
  return failures.exitCode(files);
}

/** Prints the events where that was asked for; whether it was. */
function printEvents(io: CliIo, segment: OpenedSegment, { json, events, sinceMs }: Wanted): boolean {
  if (json === true) printLines(io, jsonLines(segment, sinceMs));
  else if (events === true) printLines(io, eventLines(segment, sinceMs));
  return json === true || events === true;
}

/** The timeline of what was recorded of oneself. */
async function showOwn(io: CliIo, sinceMs: number, opener: SegmentOpener): Promise<number> {
  const { wallMs } = io.clock.now();
  const activity = new Activity(wallMs - sinceMs <= FINE_MS ? 1000 : 60_000, sinceMs);
  const failures = new Failures(io);
  const files = { here: 0, sent: 0, sizeBytes: 0, closed: 0 };
  for await (const found of ownSegments(restingPlace(io).stateDir, sinceMs, opener)) {
    if (found.kind === 'closed') {
      files.closed++;
      failures.add(found.error);
      continue;
    }
    activity.add(found.file.segment);
    files[found.listed.stage === 'sent' ? 'sent' : 'here']++;
    files.sizeBytes += found.file.sizeBytes;
  }
  const read = files.here + files.sent;
  if (read + files.closed === 0) io.err(NOTHING);
  else if (read > 0) io.out(ownPage(activity, files, { sinceMs, nowMs: wallMs }));
  return failures.exitCode(read + files.closed);
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
