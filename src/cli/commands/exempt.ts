import type { Command } from 'commander';
import { get, post } from '../../control/calls.ts';
import { locations } from '../../control/locations.ts';
import type { ExemptionsReply } from '../../control/protocol.ts';
import { messageOf, TelemetryError } from '../../core/errors.ts';
import type { ExemptionView } from '../../core/exemption-view.ts';
import { askDaemon, isDaemonDown, restingPlace } from '../daemon.ts';
import { type ExemptOptions, requestExemption } from '../exempt-request.ts';
import { exemptionsAtRest } from '../exemptions-at-rest.ts';
import type { CliIo } from '../io.ts';
import { exemptionLine, exemptionPage } from '../text/exemption-page.ts';

const EXAMPLES = `
While it is undecided, what is recorded stays on this device (or, as the policy
says, nothing is captured). The request goes to the collector at once, over any
network, and again until it is there.

Examples:
  telemetryctl exempt request --scope all --for 3d
  telemetryctl exempt list --refresh
  telemetryctl exempt withdraw ID`;

const REQUEST_EXAMPLES = `
On a terminal it asks for what is missing; otherwise that is: no reason, from
everything, for 7 days. A reason is encrypted for those who decide, and erased
30 days after the decision. An application is not captured from now on already.

Examples:
  telemetryctl exempt request
  telemetryctl exempt request --reason "works council" --until 2026-12-24
  telemetryctl exempt request --yes --scope "hours:Mon-Fri 12:00-13:00" --for 90d`;

type Found = ExemptionsReply['exemptions'][number];

interface Flags {
  readonly json?: true;
  readonly refresh?: true;
}

/** Adds `exempt request|list|show|withdraw`. */
export function define(command: Command, io: CliIo): void {
  command.addHelpText('after', EXAMPLES);
  command
    .command('request')
    .description('Ask not to be captured for a while.')
    .option('--reason <text>', 'why; read by those who decide, and by you')
    .option('--scope <scope>', 'all, app:NAME or hours:SPEC')
    .option('--for <duration>', 'how long from now on: 12h, 7d')
    .option('--until <date>', 'or until when: 2026-12-24, "2026-12-24 18:00"')
    .option('--yes', 'ask no questions')
    .option('--json', 'print JSON')
    .addHelpText('after', REQUEST_EXAMPLES)
    .action(async (options: ExemptOptions & Flags) =>
      print(io, await requestExemption(io, options), null, options),
    );
  command
    .command('list')
    .description('List what you asked for, and what became of it. Works with the daemon down.')
    .option('--refresh', 'ask the collector for decisions first')
    .option('--json', 'print JSON, schema 1')
    .addHelpText(
      'after',
      '\nExamples:\n  telemetryctl exempt list --refresh\n  telemetryctl exempt list --json | jq -r .exemptions[].state',
    )
    .action(async (options: Flags) => {
      const { exemptions } = await (options.refresh === true
        ? askDaemon(io, (socketPath) => post(socketPath, 'refresh', {}))
        : current(io));
      printList(io, exemptions, options);
    });
  command
    .command('show <id>')
    .description('Show one exemption. Works with the daemon down.')
    .option('--json', 'print JSON, schema 1')
    .addHelpText(
      'after',
      '\nExamples:\n  telemetryctl exempt show ID\n  telemetryctl exempt show ID --json | jq -r .state',
    )
    .action(async (id: string, options: Flags) => {
      const found = (await current(io)).exemptions.find(({ view }) => view.id === id);
      if (found === undefined) {
        throw new TelemetryError('failed', `There is no exemption ${id}.`, {
          hint: 'telemetryctl exempt list',
        });
      }
      print(io, found.view, await ownReason(io, found.reason), options);
    });
  command
    .command('withdraw <id>')
    .description('Take a request back, or end an exemption: capture goes on.')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  telemetryctl exempt withdraw ID\n  telemetryctl exempt withdraw ID --json',
    )
    .action(async (id: string, options: Flags) => {
      print(io, await askDaemon(io, (socketPath) => post(socketPath, 'withdraw', { id })), null, options);
    });
}

/** What the daemon has, or what the files of one that is down say. */
async function current(io: CliIo): Promise<ExemptionsReply> {
  try {
    return await askDaemon(io, (socketPath) => get(socketPath, 'exemptions'));
  } catch (error) {
    if (!isDaemonDown(error)) throw error;
    return exemptionsAtRest(restingPlace(io).stateDir, io);
  }
}

function printList(io: CliIo, exemptions: readonly Found[], { json }: Flags): void {
  if (json === true) {
    const views = exemptions.map(({ view, reason }) => ({ ...view, hasReason: reason !== null }));
    io.out(`${JSON.stringify({ schema: 1, exemptions: views }, null, 2)}\n`);
    return;
  }
  const { wallMs } = io.clock.now();
  if (exemptions.length === 0) io.out('You asked for no exemption.\n');
  else io.out(`${exemptions.map(({ view }) => exemptionLine(view, wallMs)).join('\n')}\n`);
}

function print(io: CliIo, view: ExemptionView, reason: string | null, { json }: Flags): void {
  io.out(
    json === true
      ? `${JSON.stringify({ schema: 1, ...view, reason }, null, 2)}\n`
      : exemptionPage(view, reason, io.clock.now().wallMs),
  );
}

/** The reason as its author may read it again; `null` when there is none. */
async function ownReason(io: CliIo, sealed: string | null): Promise<string | null> {
  if (sealed === null) return null;
  const { openReason } = await import('../../privacy/exemption-reason.ts');
  const { readOwnerIdentities } = await import('../../privacy/owner-identity.ts');
  try {
    const identities = readOwnerIdentities(locations(io.around).identityPath) ?? [];
    return await openReason(identities, Buffer.from(sealed, 'base64'));
  } catch (error) {
    io.err(`telemetryctl: your reason cannot be shown: ${messageOf(error)}\n`);
    return null;
  }
}
