import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { EXIT, TelemetryError } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { exportRows } from '../../export/export-columns.ts';
import type { OpenedSegment } from '../../segment/open-segment.ts';
import { listSegments } from '../../spool/list-segments.ts';
import type { Finish } from '../command-module.ts';
import { restingPlace } from '../daemon.ts';
import { expandInputs, inOrderOfTime } from '../export-inputs.ts';
import { ExportProgress } from '../export-progress.ts';
import { type ExportTarget, FileTarget, standardOutput } from '../export-target.ts';
import { csvWriter, type ExportWriter, jsonLinesWriter } from '../export-text.ts';
import { Failures } from '../failures.ts';
import { addIdentityOption } from '../identity-option.ts';
import type { CliIo } from '../io.ts';
import { SegmentOpener } from '../segment-file.ts';

const EXAMPLES = `
FILE is a segment file, a folder of them or a quoted pattern; without one it
exports everything that is still on this device. Segments come in order of time.
Works with the daemon down. Columns and units: docs/reading-segments.md.
Exit codes: 3 when some files could not be read; 1 when none could, or 11 when
that is for want of an identity.

Examples:
  telemetryctl export segments/ --format parquet --output events.parquet
  telemetryctl export 'day/*.age' --format csv --identity key.txt > events.csv
  telemetryctl export --format jsonl | jq -c 'select(.kind == "down")'`;

const FORMATS = ['jsonl', 'csv', 'parquet'] as const;

interface Options {
  format: (typeof FORMATS)[number];
  output?: string;
  identity?: string[];
}

/** Adds `export [FILE…] --format F [--output PATH] [--identity FILE]`. */
export function define(command: Command, io: CliIo, finish: Finish): void {
  addIdentityOption(command)
    .argument('[file...]', 'segment files, folders of them, patterns')
    .addOption(new Option('-f, --format <format>', 'what to write').choices(FORMATS).makeOptionMandatory())
    .option('-o, --output <path>', 'a new file to write to; needed for parquet')
    .addHelpText('after', EXAMPLES)
    .action(async (words: readonly string[], options: Options) =>
      finish(await exportFiles(words, options, io)),
    );
}

async function exportFiles(words: readonly string[], options: Options, io: CliIo): Promise<number> {
  const { cwd } = io.around;
  if (options.format === 'parquet' && options.output === undefined) {
    throw new TelemetryError('usage', 'Parquet is written to a file, which --output names.', {
      hint: 'telemetryctl export … --format parquet --output events.parquet',
    });
  }
  const opener = new SegmentOpener(io, options.identity ?? []);
  await opener.prepare();
  const named =
    words.length > 0
      ? expandInputs(words, cwd)
      : listSegments(restingPlace(io).stateDir).map(({ path }) => path);
  if (named.length === 0) {
    throw new TelemetryError('failed', 'There is nothing to export.', {
      hint: words.length > 0 ? 'a folder with .tlm or .tlm.age files' : 'telemetryctl status',
    });
  }
  const paths = await inOrderOfTime(named, cwd, opener);
  const target = openTarget(options.output, io);
  const progress = new ExportProgress(
    io,
    paths.length,
    io.hasProgress && (options.output !== undefined || !io.isTerminal),
  );
  try {
    const code = await exportTo(target, paths, { opener, progress, format: options.format, io });
    progress.clear();
    // With nothing in it there is no file: it would be taken for a day without events.
    if (code === EXIT.ok || code === EXIT.partly) {
      target.finish();
      if (options.output !== undefined) progress.done(options.output);
    } else target.discard();
    return code;
  } catch (error) {
    progress.clear();
    target.discard();
    throw error;
  }
}

function openTarget(output: string | undefined, io: CliIo): ExportTarget {
  if (output === undefined) return standardOutput(io);
  const target = new FileTarget(resolve(io.around.cwd, output), process.pid);
  target.open();
  return target;
}

interface Run {
  readonly format: Options['format'];
  readonly opener: SegmentOpener;
  readonly progress: ExportProgress;
  readonly io: CliIo;
}

/** Goes on after each file that cannot be read; returns the exit code. */
async function exportTo(target: ExportTarget, paths: readonly string[], run: Run): Promise<number> {
  const { opener, progress, io } = run;
  // Only with a file to take away again: without one the signal may end the process at once.
  const interrupted = target instanceof FileTarget ? io.interrupted : undefined;
  const writer = await writerFor(run.format, target);
  const seen = new Set<string>();
  const failures = new Failures(io);
  for (const path of paths) {
    if (interrupted?.aborted === true) {
      throw new TelemetryError('interrupted', 'Interrupted; nothing was written.');
    }
    const opened = await tryToOpen(path, opener);
    if ('error' in opened) {
      progress.clear();
      failures.add(opened.error);
      progress.step(0, 0);
      continue;
    }
    const { segment, sizeBytes } = opened;
    if (isNew(segment, seen)) writer.add(segment, path);
    else {
      progress.clear();
      io.err(`telemetryctl: ${printable(path)}: the same segment as in another file, left out\n`);
    }
    progress.step(segment.columns.count, sizeBytes);
  }
  writer.end();
  return failures.exitCode(paths.length);
}

async function tryToOpen(
  path: string,
  opener: SegmentOpener,
): Promise<{ segment: OpenedSegment; sizeBytes: number } | { error: unknown }> {
  try {
    return await opener.open(path);
  } catch (error) {
    return { error };
  }
}

/** A crash between sealing a journal and removing it leaves both; a copied folder may hold one twice. */
function isNew({ header }: OpenedSegment, seen: Set<string>): boolean {
  const isFirst = !seen.has(header.segmentId);
  seen.add(header.segmentId);
  return isFirst;
}

async function writerFor(format: Options['format'], target: ExportTarget): Promise<ExportWriter> {
  switch (format) {
    case 'jsonl':
      return jsonLinesWriter(target);
    case 'csv':
      return csvWriter(target);
    case 'parquet':
      return parquetWriter(target);
  }
}

/** Loaded only when it is asked for. */
async function parquetWriter(target: ExportTarget): Promise<ExportWriter> {
  const { parquetFile } = await import('../../export/export-parquet.ts');
  const file = parquetFile((bytes) => target.write(bytes));
  return {
    add(segment, path) {
      for (const row of exportRows(segment)) file.addRow(row);
      file.addSegment(segment, path);
    },
    end: () => file.end(),
  };
}
