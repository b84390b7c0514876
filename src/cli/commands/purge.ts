import type { Command } from 'commander';
import { TelemetryError } from '../../core/errors.ts';
import { MASKED_TIME_QUANTUM_MS } from '../../core/masking.ts';
import type { PurgeScope } from '../../core/purge.ts';
import { readLedger } from '../../privacy/ledger.ts';
import { purgeHistory, stateOf } from '../../privacy/purge-history.ts';
import { confirm, requireAnswer } from '../confirm.ts';
import { restingPlace } from '../daemon.ts';
import { durationArgument } from '../duration-argument.ts';
import type { CliIo } from '../io.ts';
import { openErasures, planPurge } from '../purge.ts';
import { historyPage, planPage, receiptPage } from '../text/purge-page.ts';

const EXAMPLES = `
What was sent is erased at the collector too: it is asked until it confirms. A
segment that holds older events as well keeps those. Works with the daemon down.

Examples:
  telemetryctl purge --last 10m
  telemetryctl purge --unsent --dry-run
  telemetryctl purge list`;

interface Options {
  last?: string;
  unsent?: true;
  all?: true;
  dryRun?: true;
  yes?: true;
  json?: true;
}

/** Adds `purge --last D | --unsent | --all [--dry-run] [--yes] [--json]` and `purge list`. */
export function define(command: Command, io: CliIo): void {
  command
    .option('--last <duration>', 'everything of that time up to now: 10m, 2h')
    .option('--unsent', 'everything that was not sent')
    .option('--all', 'everything, sent or not')
    .option('--dry-run', 'show what would be removed, and remove nothing')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON: the receipt, or with --dry-run the plan')
    .addHelpText('after', EXAMPLES)
    .action((options: Options) => purge(io, options));
  command
    .command('list')
    .description('Show what was purged, and which collectors have confirmed it.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  telemetryctl purge list\n  telemetryctl purge list --json')
    .action((_options: object, list: Command) => {
      const purges = purgeHistory(readLedger(restingPlace(io).stateDir));
      const isJson = list.optsWithGlobals<{ json?: true }>().json === true;
      io.out(
        isJson
          ? `${JSON.stringify({ schema: 1, purges }, null, 2)}\n`
          : historyPage(purges, io.clock.now().wallMs),
      );
    });
}

async function purge(io: CliIo, options: Options): Promise<void> {
  const { scope, what, words } = scopeOf(io, options);
  const hint = `telemetryctl purge ${words} --yes`;
  const isYes = options.yes === true;
  if (options.dryRun !== true) requireAnswer(io, isYes, hint);
  const planned = await planPurge(io, scope);
  try {
    const page = planPage(planned.plan, what);
    if (options.dryRun === true) {
      io.out(options.json === true ? `${JSON.stringify({ schema: 1, ...planned.plan }, null, 2)}\n` : page);
      return;
    }
    if (!isYes) io.err(`${page}\n`);
    await confirm(io, isYes, hint, 'Remove it for good? [y/N] ');
    const receipt = await planned.carryOut();
    const open = await openErasures(io, receipt, planned.isAtRest);
    const nowMs = io.clock.now().wallMs;
    io.out(options.json === true ? `${json(receipt, open, nowMs)}\n` : receiptPage(receipt, open, nowMs));
  } finally {
    planned.close();
  }
}

function json(receipt: Parameters<typeof stateOf>[0], open: ReadonlySet<string>, nowMs: number): string {
  const at = new Date(nowMs).toISOString();
  const confirmed = receipt.erasures.filter(({ request }) => !open.has(request));
  const state = stateOf(receipt, new Map(confirmed.map(({ request }) => [request, at])));
  return JSON.stringify({ schema: 1, ...state }, null, 2);
}

function scopeOf(
  io: CliIo,
  { last, unsent, all }: Options,
): { scope: PurgeScope; what: string; words: string } {
  const given = [last, unsent, all].filter((option) => option !== undefined).length;
  if (given !== 1) {
    throw new TelemetryError('usage', 'Say what to remove: one of --last, --unsent and --all.', {
      hint: 'telemetryctl purge --last 10m',
    });
  }
  if (last === undefined) {
    return unsent === true
      ? { scope: { kind: 'unsent' }, what: 'everything that was not sent', words: '--unsent' }
      : { scope: { kind: 'all' }, what: 'everything, here and where it was sent', words: '--all' };
  }
  const durationMs = durationArgument(last, 'telemetryctl purge --last');
  // The time of a masked key is rounded down by up to this much.
  const fromWallMs = Math.max(0, Math.floor(io.clock.now().wallMs - durationMs) - MASKED_TIME_QUANTUM_MS);
  return {
    scope: { kind: 'last', fromWallMs },
    what: `everything of the last ${last}`,
    words: `--last ${last}`,
  };
}
