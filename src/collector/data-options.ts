import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { parseDestination } from '../core/destination.ts';
import { messageOf, TelemetryError } from '../core/errors.ts';
import type { Books } from './books.ts';
import { runDataset } from './dataset/dataset-command.ts';
import type { DatasetSource } from './dataset/dataset-source.ts';
import { datasetFromCollector } from './dataset/dataset-source-http.ts';
import { datasetFromStore } from './dataset/dataset-source-store.ts';
import type { ListRange } from './list-lines.ts';
import { type ListForm, listAccess, listErased, listUsable } from './lists-command.ts';
import type { ObjectStore } from './object-store.ts';
import { addReader, listReaders, type ReaderDesk, revokeReader } from './readers-command.ts';
import { readSince } from './since.ts';
import type { PlaceFlags } from './stores.ts';

const INDEX_EXAMPLES = `
What may be trained on now: consent stands, time is not over, nobody had it erased.

Examples:
  telemetry-collector index
  telemetry-collector index --json | jq .totals
  telemetry-collector index --jsonl --since 2026-11-26`;

const ERASED_EXAMPLES = `
What must be dropped from copies, and why: deleted, withdrawn or expired.

Examples:
  telemetry-collector erased --since 2026-11-26T10:00:00Z --json
  telemetry-collector erased --since 7d`;

const ACCESS_EXAMPLES = `
Examples:
  telemetry-collector access --since 30d
  telemetry-collector access --json | jq '.accesses[].reader'`;

const READER_EXAMPLES = `
Examples:
  telemetry-collector readers add agents-team
  telemetry-collector readers list
  telemetry-collector readers revoke agents-team`;

const DATASET_EXAMPLES = `
Writes day=YYYY-MM-DD/SEGMENT.parquet for all that index allows, and takes out
what it does not allow any more. Run it again after an interruption, and daily.
Exit code 3 when some segments could not be opened; they are named.

Examples:
  telemetry-collector dataset --identity team.txt --out events
  telemetry-collector dataset --identity team.txt --out events \\
    --from https://collector.example.com --token-file token.txt`;

/** The options of these commands. */
export interface DataFlags extends PlaceFlags {
  readonly json?: true;
  readonly jsonl?: true;
  readonly since?: string;
}

interface DatasetFlags extends DataFlags {
  readonly identity: readonly string[];
  readonly out: string;
  readonly from?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
}

/** Where a collector keeps things, not opened yet. */
export interface DataPlace extends Pick<Books, 'use' | 'readers'> {
  /** `null`: not on this machine; `dataset --from` reads from there. */
  readonly store: Pick<ObjectStore, 'read'> | null;
  readonly wallMs: () => number;
}

type OpenPlace = (options: DataFlags, access: 'read-only' | 'read-write') => DataPlace;

/** Adds `index`, `erased`, `access`, `readers add|list|revoke` and `dataset`. */
export function defineData(command: Command, place: OpenPlace): void {
  const write = (text: string): void => void process.stdout.write(text);
  const list = (name: string, description: string, examples: string, act: typeof listUsable): Command =>
    command
      .command(name)
      .description(description)
      .option('--data <dir>', 'of the collector (default: the XDG data folder)')
      .option('--catalog <url>', 'postgres://…, of collectors that share one')
      .option('--since <time>', 'a day, a time, or a duration ago')
      .option('--json', 'one JSON document')
      .addOption(new Option('--jsonl', 'a line of JSON each').conflicts('json'))
      .addHelpText('after', examples)
      .action((options: DataFlags) => {
        const { use, readers, wallMs } = place(options, 'read-only');
        return act(formOf(options), rangeOf(options, wallMs()), { use, readers, write });
      });
  list('index', 'list what may be trained on', INDEX_EXAMPLES, listUsable);
  list('erased', 'list what must be dropped from copies', ERASED_EXAMPLES, listErased);
  list('access', 'list who read what', ACCESS_EXAMPLES, listAccess);
  defineReaders(command, place);
  command
    .command('dataset')
    .description('write Parquet of all that may be trained on')
    .requiredOption('--identity <file>', 'age identity that opens segments; repeatable', collect)
    .requiredOption('--out <dir>', 'the dataset, a new folder or one made before')
    .option('--data <dir>', 'of the collector (default: the XDG data folder)')
    .addOption(new Option('--from <url>', 'read from a running collector instead').conflicts('data'))
    .option('--token-file <file>', 'the reader’s token, with --from')
    .option('--ca <file>', 'PEM of a certificate authority of your own, with --from')
    .option('--json', 'one JSON document with what was done')
    .addHelpText('after', DATASET_EXAMPLES)
    .action((options: DatasetFlags) => dataset(options, place));
}

function defineReaders(command: Command, place: OpenPlace): void {
  const readers = command
    .command('readers')
    .description('give and revoke the tokens of those who read')
    .addHelpText('after', READER_EXAMPLES);
  const add = (name: string, description: string): Command =>
    readers
      .command(name)
      .description(description)
      .option('--data <dir>', 'of the collector (default: the XDG data folder)')
      .option('--catalog <url>', 'postgres://…, of collectors that share one')
      .option('--json', 'one JSON document, times in UTC')
      .addHelpText('after', READER_EXAMPLES);
  const desk = (options: DataFlags, access: 'read-only' | 'read-write'): ReaderDesk => {
    const { readers: book, wallMs } = place(options, access);
    const write = (text: string): void => void process.stdout.write(text);
    return { readers: book, wallMs, write, isJson: options.json === true };
  };
  add('add <name>', 'print a token for a reader, once').action((name: string, options: DataFlags) =>
    addReader(name, desk(options, 'read-write')),
  );
  add('list', 'list everyone who ever had a token').action((options: DataFlags) =>
    listReaders(desk(options, 'read-only')),
  );
  add('revoke <name>', 'let a reader read nothing any more').action((name: string, options: DataFlags) =>
    revokeReader(name, desk(options, 'read-write')),
  );
}

async function dataset(options: DatasetFlags, place: OpenPlace): Promise<void> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGTERM', onSignal).once('SIGINT', onSignal);
  const { identity, out, json } = options;
  const run = async (source: DatasetSource): Promise<void> =>
    runDataset(
      {
        source,
        outDir: resolve(out),
        identityFiles: identity.map((file) => resolve(file)),
        isJson: json === true,
        stop: stop.signal,
      },
      {
        out: (text) => process.stdout.write(text),
        err: (text) => process.stderr.write(text),
        hasProgress: process.stderr.isTTY,
      },
    );
  try {
    if (options.from !== undefined) await run(fromCollector(options.from, options));
    else await fromPlace(place(options, 'read-write'), run);
  } finally {
    process.removeListener('SIGTERM', onSignal).removeListener('SIGINT', onSignal);
  }
}

async function fromPlace(
  { use, readers, store, wallMs }: DataPlace,
  run: (source: DatasetSource) => Promise<void>,
): Promise<void> {
  if (store === null)
    throw new TelemetryError('usage', 'what is in an object store is read through a collector', {
      op: 'open store',
      hint: '--from URL --token-file FILE',
    });
  try {
    await use.start();
    await readers.start();
    const reader = `local:${userInfo().username}`;
    await run(datasetFromStore({ use, readers, store, reader, wallMs }));
  } finally {
    await readers.stop();
    await use.stop();
  }
}

function fromCollector(url: string, { tokenFile, ca }: DatasetFlags): DatasetSource {
  if (tokenFile === undefined)
    throw new TelemetryError('usage', '--from needs the token of a reader', {
      op: 'read --token-file',
      hint: '--token-file FILE with what telemetry-collector readers add printed',
    });
  return datasetFromCollector({
    destination: parseDestination(url),
    token: textOf('--token-file', tokenFile).trim().split(/\s/)[0] ?? '',
    ca: ca === undefined ? null : textOf('--ca', ca),
    delay: (ms) => delay(ms),
  });
}

function textOf(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new TelemetryError('usage', `${file} cannot be read`, {
      op: `read ${option}`,
      hint: messageOf(cause),
      cause,
    });
  }
}

function formOf({ json, jsonl }: DataFlags): ListForm {
  return json === true ? 'json' : jsonl === true ? 'jsonl' : 'text';
}

function rangeOf({ since }: DataFlags, nowMs: number): ListRange {
  return { sinceMs: since === undefined ? null : readSince(since, nowMs), nowMs };
}

function collect(file: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), file];
}
