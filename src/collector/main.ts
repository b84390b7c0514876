import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Command, CommanderError, Option } from 'commander';
import type { Log } from '../core/clock.ts';
import { withoutHelpOnUnknown } from '../core/command-words.ts';
import { EXIT, exitCodeFor, messageOf, TelemetryError } from '../core/errors.ts';
import { VERSION } from '../core/version.ts';
import type { AdminDesk } from './admin-command.ts';
import { type AdminFlags, defineAdmins } from './admin-options.ts';
import { CATALOG } from './catalog-migrations.ts';
import { defaultDataDir } from './data-folder.ts';
import { type DataFlags, type DataPlace, defineData } from './data-options.ts';
import { type DeviceFlags, defineDevices } from './device-options.ts';
import type { DeviceDesk } from './enroll-command.ts';
import { ErasureLogFile } from './erasure-log.ts';
import { decideExemption, type ExemptionDesk, listExemptions, showExemption } from './exemptions-command.ts';
import { defineLimits, type LimitFlags, readLimits } from './limit-options.ts';
import { ls } from './ls-command.ts';
import { FileObjectStore } from './object-store-files.ts';
import { defineOperations } from './operations-options.ts';
import { readReason } from './reason-reader-node.ts';
import { serve } from './serve-command.ts';
import { type ReachFlags, readReach } from './serve-options.ts';
import { SERVER_LIMITS } from './server-limits.ts';
import { openBooks, openStores, type PlaceFlags, type StoreFlags } from './stores.ts';

const EXAMPLES = `
Examples:
  telemetry-collector serve
  telemetry-collector serve --data /srv/telemetry --listen 127.0.0.1:0
  telemetry-collector ls --json`;

const SERVE_EXAMPLES = `
Prints the address it listens on; its log goes to stderr as JSON lines.
SIGTERM or Ctrl-C lets running uploads end; a second one ends it at once.
Any number of collectors share a --store and --catalog; credentials come from
where the AWS tools look for them, the password from PGPASSFILE or PGPASSWORD.

Examples:
  telemetry-collector serve
  telemetry-collector serve --listen 127.0.0.1:0 --data /tmp/collector
  telemetry-collector serve --store s3://b --catalog postgres:///c --identity k`;

const LS_EXAMPLES = `
Examples:
  telemetry-collector ls
  telemetry-collector ls --device 0197f3a0-5c1e-7d4a-9b6f-2f1d8c3e4a5b
  telemetry-collector ls --json | jq '.segments[].path'`;

const EXEMPTION_EXAMPLES = `
Examples:
  telemetry-collector exemptions list --state pending
  telemetry-collector exemptions show ID --identity deciders.txt
  telemetry-collector exemptions deny ID --by Ada --reason "ask again"`;

/** Runs the program `telemetry-collector` and returns its exit code. `argv` is without node and script. */
export async function main(argv: readonly string[]): Promise<number> {
  ignoreClosedPipe();
  try {
    const program = collectorProgram();
    await program.parseAsync(withoutHelpOnUnknown(program, argv), { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const hint = error instanceof TelemetryError && error.hint !== '' ? `\nTry: ${error.hint}` : '';
    process.stderr.write(`telemetry-collector: ${describe(error)}${hint}\n`);
    return exitCodeFor(error);
  }
}

/** The command tree. */
export function collectorProgram(): Command {
  const command = new Command('telemetry-collector')
    .description('Takes in segments from telemetryd and keeps them.')
    .version(VERSION, '--version', 'print the version')
    .addHelpText('after', EXAMPLES)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) =>
        write(`telemetry-collector: ${text.replace(/^error: /, '')}Try: telemetry-collector --help\n`),
    });
  const serving = command
    .command('serve')
    .description('receive segments over HTTP')
    .option('--data <dir>', 'where to keep them (default: the XDG data folder)')
    .option('--store <url>', 's3://BUCKET/PREFIX: keep them there instead')
    .option('--catalog <url>', 'postgres://HOST/DATABASE: the list of them')
    .option('--identity <file>', 'the key that devices trust; for --catalog')
    .option('--listen <address>', 'IP address and port; port 0 takes a free one', '127.0.0.1:7717')
    .option('--tls-cert <file>', 'PEM; needed to listen on anything but loopback')
    .option('--tls-key <file>', 'PEM')
    .option('--public-url <url>', 'what devices call it, when a proxy stands in front')
    .option('--require-enrolment', 'take enrolled devices only (always so beyond loopback)')
    .option('--admin-listen <address>', 'serve the page for deciders there, such as 127.0.0.1:7719');
  defineLimits(serving)
    .addOption(new Option('--until-stdin-closes', 'stop when whoever started it is gone').hideHelp())
    .addHelpText('after', SERVE_EXAMPLES)
    .action(runServe);
  command
    .command('ls')
    .description('list the segments that are kept')
    .option('--data <dir>', 'where they are (default: the XDG data folder)')
    .option('--catalog <url>', 'postgres://…, of collectors that share one')
    .option('--json', 'one JSON document, sizes in bytes, times in UTC')
    .option('--device <id>', 'only those of one device')
    .addHelpText('after', LS_EXAMPLES)
    .action(runLs);
  defineExemptions(command);
  defineDevices(command, deviceDesk);
  defineOperations(command, {
    defaultDataDir: () => defaultDataDir(process.env),
    wallMs: Date.now,
    write: (text) => process.stdout.write(text),
  });
  defineAdmins(command, adminDesk);
  defineData(command, dataPlace);
  return command;
}

interface ExemptionFlags extends PlaceFlags {
  readonly json?: true;
  readonly state?: string;
  readonly identity?: string;
  readonly by?: string;
  readonly reason?: string;
}

function defineExemptions(command: Command): void {
  const exemptions = command
    .command('exemptions')
    .description('list and decide what people asked to be exempt from')
    .addHelpText('after', EXEMPTION_EXAMPLES);
  const add = (name: string, description: string): Command =>
    exemptions
      .command(name)
      .description(description)
      .option('--data <dir>', 'where they are (default: the XDG data folder)')
      .option('--catalog <url>', 'postgres://…, of collectors that share one')
      .option('--json', 'one JSON document, times in UTC')
      .addHelpText('after', EXEMPTION_EXAMPLES);
  add('list', 'list the requests')
    .option('--state <state>', 'only those pending, approved, denied or withdrawn')
    .action((options: ExemptionFlags) => listExemptions(options.state, desk(options, 'read-only')));
  add('show <id>', 'show one request, and who did what to it')
    .option('--identity <file>', 'age identity that opens the reason')
    .action((id: string, options: ExemptionFlags) => {
      const { identity } = options;
      const open =
        identity === undefined ? null : (reason: Uint8Array) => readReason(resolve(identity), reason);
      return showExemption(id, open, desk(options, 'read-only'));
    });
  for (const [name, verdict] of [
    ['approve', 'approved'],
    ['deny', 'denied'],
  ] as const) {
    add(`${name} <id>`, `${name} a request that is pending; it cannot be undone`)
      .requiredOption('--by <name>', 'who decides; kept in the audit trail')
      .option('--reason <text>', 'told to the person; a denial needs one')
      .action((id: string, options: ExemptionFlags) => {
        const { by = '', reason = '' } = options;
        return decideExemption(id, { verdict, by, reason }, desk(options, 'read-write'));
      });
  }
}

function desk(options: ExemptionFlags, access: 'read-only' | 'read-write'): ExemptionDesk {
  return {
    book: openBooks(options, access, process.env, Date.now).exemptions,
    write: (text) => process.stdout.write(text),
    isJson: options.json === true,
  };
}

function dataPlace(options: DataFlags, access: 'read-only' | 'read-write'): DataPlace {
  const { use, readers, dataDir } = openBooks(options, access, process.env, Date.now);
  mustBeDataDir(options, dataDir);
  // A token may be given before the first segment comes.
  if (access === 'read-write' && dataDir !== null) mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const store = dataDir === null ? null : new FileObjectStore(dataDir);
  return { use, readers, store, wallMs: Date.now };
}

function deviceDesk(options: DeviceFlags, access: 'read-only' | 'read-write'): DeviceDesk {
  const { devices, dataDir, collectorKey } = openBooks(options, access, process.env, Date.now);
  return {
    devices,
    dataDir,
    collectorKey,
    wallMs: Date.now,
    write: (text) => process.stdout.write(text),
    isJson: options.json === true,
  };
}

function adminDesk(options: AdminFlags, access: 'read-only' | 'read-write'): AdminDesk {
  const { admins, dataDir } = openBooks(options, access, process.env, Date.now);
  return {
    admins,
    dataDir,
    write: (text) => process.stdout.write(text),
    isJson: options.json === true,
  };
}

interface ServeFlags extends ReachFlags, LimitFlags, StoreFlags {
  readonly untilStdinCloses?: true;
}

async function runServe(options: ServeFlags): Promise<void> {
  const reach = readReach(options);
  const limits = readLimits(options);
  const stores = openStores(options, process.env, Date.now);
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  // A second signal ends the process at once, as the first handler is gone; nothing is lost by it.
  process.once('SIGTERM', onSignal).once('SIGINT', onSignal);
  if (options.untilStdinCloses === true) process.stdin.once('close', onSignal).resume();
  try {
    await serve(
      { ...reach, ...limits, limits: SERVER_LIMITS },
      {
        ...stores,
        log: await stderrLog(),
        wallMs: Date.now,
        monoMs: () => performance.now(),
        erasureLog: limits.erasureLog === null ? null : new ErasureLogFile(limits.erasureLog),
        delay: (ms, signal) => delay(ms, undefined, { signal }),
        announce: (url) => process.stdout.write(`listening on ${url}\n`),
        announcePage: (url) => process.stdout.write(`page on ${url}\n`),
      },
      stop.signal,
    );
  } finally {
    process.removeListener('SIGTERM', onSignal).removeListener('SIGINT', onSignal);
    if (options.untilStdinCloses === true) process.stdin.destroy();
  }
}

/** Where nobody said otherwise, a collector that never ran keeps nothing; a folder that was named must be one. */
function mustBeDataDir({ data }: PlaceFlags, dataDir: string | null): void {
  if (data === undefined || existsSync(join(dataDir ?? '', CATALOG))) return;
  throw new TelemetryError('failed', `${dataDir ?? ''} is not the data folder of a collector`, {
    hint: 'name the folder that telemetry-collector serve was given with --data',
  });
}

async function runLs(options: PlaceFlags & { json?: boolean; device?: string }): Promise<void> {
  const { device, json = false } = options;
  const { catalog, dataDir, locate } = openBooks(options, 'read-only', process.env, Date.now);
  mustBeDataDir(options, dataDir);
  await ls({ locate, json, device }, catalog, (text) => process.stdout.write(text));
}

/** JSON lines on stderr, written at once so that the last ones before a crash are there. */
async function stderrLog(): Promise<Log> {
  // The default export is the one that a bundle of this CommonJS package keeps.
  const { default: pino } = await import('pino');
  const log: Log = pino({ name: 'telemetry-collector' }, pino.destination({ fd: 2, sync: true }));
  return log;
}

/** The error and, in brackets, what caused it. */
function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? ` (${messageOf(error.cause)})` : '';
  return `${messageOf(error)}${cause}`;
}

/** `ls | head` closes the pipe early; that is no failure. */
function ignoreClosedPipe(): void {
  process.stdout.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
