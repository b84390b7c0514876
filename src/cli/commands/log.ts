import type { Command } from 'commander';
import { counted, groupedCount, roughBytes } from '../../core/amounts.ts';
import { EXIT, TelemetryError } from '../../core/errors.ts';
import { type LedgerCheck, readLedger, verifyLedger } from '../../privacy/ledger.ts';
import type { LedgerEntry } from '../../privacy/ledger-entry.ts';
import type { Finish } from '../command-module.ts';
import { restingPlace } from '../daemon.ts';
import { sinceArgument } from '../duration-argument.ts';
import { addIdentityOption } from '../identity-option.ts';
import type { CliIo } from '../io.ts';
import { collectWitnesses, type Witnesses } from '../ledger-witnesses.ts';
import { wrap } from '../text/layout.ts';
import { ledgerDay, ledgerLines } from '../text/ledger-line.ts';

const EXAMPLES = `
Times are local. It holds counts, names and hashes, no event. Every entry is
chained to the one before by its hash. Works with the daemon down.

Examples:
  telemetryctl log --since 1d
  telemetryctl log --json | jq -c 'select(.type == "sent")'
  telemetryctl log verify`;

const VERIFY_EXAMPLES = `
A chain that was rewritten as a whole is sound in itself, so it is held against
the heads that segments on this device (sent ones too) and consent receipts
carry, and against any given with --head: telemetry-collector ls --json has one
for each segment.

Examples:
  telemetryctl log verify
  telemetryctl log verify --json | jq .head
  telemetryctl log verify --head HASH`;

/** Adds `log [--since D] [--json]` and `log verify [--head HASH] [--identity FILE] [--json]`. */
export function define(command: Command, io: CliIo, finish: Finish): void {
  command
    .option('--json', 'print the entries as JSON lines')
    .option('--since <duration>', 'only what was written down since, such as 1d')
    .addHelpText('after', EXAMPLES)
    .action((options: { json?: true; since?: string }) => {
      const sinceMs = sinceArgument(options.since, io, 'telemetryctl log --since');
      if (options.json === true) printJson(io, sinceMs);
      else printPage(io, sinceMs);
    });
  addIdentityOption(command.command('verify'))
    .description('Check that no entry was changed, removed or put in. Exit code 1 when one was.')
    .option('--head <hash>', 'a head that was kept elsewhere; repeatable', addHead)
    .option('--json', 'print JSON: ok, entries, brokenAt, head, missingHeads, …')
    .addHelpText('after', VERIFY_EXAMPLES)
    .action(async (options: { head?: string[]; identity?: string[] }, verify: Command) => {
      const isJson = verify.optsWithGlobals<{ json?: true }>().json === true;
      finish(await verifyLog(io, { ...options, isJson }));
    });
}

function addHead(head: string, before: readonly string[] | undefined): string[] {
  if (/^[0-9a-f]{64}$/.test(head)) return [...(before ?? []), head];
  throw new TelemetryError(
    'usage',
    `${JSON.stringify(head)} is not a head: those are 64 hexadecimal digits.`,
    {
      hint: 'telemetry-collector ls --json, which shows the ledgerHead of each segment',
    },
  );
}

function* entriesSince(io: CliIo, sinceMs: number): Generator<LedgerEntry> {
  for (const entry of readLedger(restingPlace(io).stateDir)) {
    // Whatever has no time is shown rather than hidden.
    if (!(Date.parse(entry.at) < sinceMs)) yield entry;
  }
}

function printJson(io: CliIo, sinceMs: number): void {
  for (const entry of entriesSince(io, sinceMs)) io.out(`${JSON.stringify(entry)}\n`);
}

/** By day, with sums at the end; each entry as it is read. */
function printPage(io: CliIo, sinceMs: number): void {
  let day = '';
  const captured = { files: 0, events: 0, bytes: 0 };
  const sent = { files: 0, bytes: 0 };
  let purged = 0;
  for (const entry of entriesSince(io, sinceMs)) {
    const heading = ledgerDay(entry);
    if (heading !== day) io.out(`${day === '' ? '' : '\n'}${heading}\n`);
    day = heading;
    io.out(`${ledgerLines(entry).join('\n')}\n`);
    if (entry.type === 'captured') {
      captured.files++;
      captured.events += entry.events ?? 0;
      captured.bytes += entry.bytes;
    } else if (entry.type === 'sent') {
      sent.files++;
      sent.bytes += entry.bytes;
    } else if (entry.type === 'purged') purged += entry.segments;
  }
  if (day === '') {
    io.err('telemetryctl: nothing was written down in that time.\n');
    return;
  }
  const sums = [
    `Recorded ${counted(captured.events, 'event')} in ${counted(captured.files, 'file')} (${roughBytes(captured.bytes)})`,
    `sent ${counted(sent.files, 'file')} (${roughBytes(sent.bytes)})`,
    `purged ${counted(purged, 'file')}`,
  ];
  io.out(`\n${sums.join('; ')}.\n`);
}

interface VerifyOptions {
  readonly head?: readonly string[];
  readonly identity?: readonly string[];
  readonly isJson: boolean;
}

async function verifyLog(io: CliIo, { head = [], identity = [], isJson }: VerifyOptions): Promise<number> {
  const { stateDir } = restingPlace(io);
  // The heads first: what the daemon adds to the chain meanwhile contradicts none of them.
  const witnesses = await collectWitnesses(io, stateDir, identity);
  const check = verifyLedger(stateDir, [...witnesses.heads.keys(), ...head]);
  if (isJson) io.out(`${JSON.stringify(document(check, witnesses), null, 2)}\n`);
  else io.out(`${words(check, witnesses, head.length)}\n`);
  return check.ok ? EXIT.ok : EXIT.failed;
}

function document(check: LedgerCheck, { segments, receipts, unread, heads }: Witnesses): object {
  const missingHeads = check.missingHeads.map((hash) => ({ hash, keptBy: heads.get(hash) ?? [] }));
  return { schema: 1, ...check, missingHeads, witnesses: { segments, receipts, unread } };
}

function words(check: LedgerCheck, witnesses: Witnesses, given: number): string {
  const { segments, receipts, unread, heads } = witnesses;
  if (check.brokenAt !== null) {
    return `Not intact from entry ${check.brokenAt} on; the ${groupedCount(check.entries)} before it are.`;
  }
  const seen = [
    counted(segments, 'segment'),
    counted(receipts, 'receipt'),
    ...(given === 0 ? [] : [`${groupedCount(given)} given`]),
  ].join(', ');
  const lines =
    check.missingHeads.length === 0
      ? [
          `Intact: ${groupedCount(check.entries)} entries, the last one ${check.head.hash}.`,
          `It has every head that was kept of it (${seen}).`,
        ]
      : [
          'Rewritten or cut: the chain is sound in itself, but heads that were kept of it are not in it:',
          ...check.missingHeads.map(
            (hash) => `  ${hash} ${(heads.get(hash) ?? ['given with --head']).join(', ')}`,
          ),
        ];
  const open =
    unread.length === 0
      ? []
      : [`${counted(unread.length, 'file')} could not be opened to see: ${unread[0]?.why ?? ''}`];
  return [...lines, ...open].flatMap((line) => (line.startsWith('  ') ? line : wrap(line, 80))).join('\n');
}
