import type { Command } from 'commander';
import { get, post } from '../../control/calls.ts';
import { locations } from '../../control/locations.ts';
import type { ConsentReply } from '../../control/protocol.ts';
import { printable } from '../../core/printable.ts';
import { confirm, requireAnswer } from '../confirm.ts';
import { askDaemon } from '../daemon.ts';
import type { CliIo } from '../io.ts';
import { purgeAfterRevoke, revoke } from '../revoke.ts';
import { bullet, row } from '../text/layout.ts';
import { moment } from '../text/moments.ts';

const EXAMPLES = `
Examples:
  telemetryctl consent show
  telemetryctl consent grant
  telemetryctl consent revoke --yes --purge-unsent`;

interface Options {
  json?: true;
  yes?: true;
  purgeUnsent?: true;
  eraseSent?: true;
}

/** Adds `consent show|grant|revoke`. */
export function define(command: Command, io: CliIo): void {
  command.addHelpText('after', EXAMPLES);
  command
    .command('show')
    .description('Show whether consent stands, and for what.')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  telemetryctl consent show\n  telemetryctl consent show --json | jq -r .state',
    )
    .action(async (options: Options) => {
      print(io, await askDaemon(io, (socketPath) => get(socketPath, 'consent')), options);
    });
  command
    .command('grant')
    .description('Read the notice and agree to it. Nothing is captured before that.')
    .option('--yes', 'agree without being asked; the receipt says that a script did')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  telemetryctl consent grant\n  telemetryctl consent grant --yes')
    .action(async (options: Options) => {
      print(io, await grant(io, options), options);
    });
  command
    .command('revoke')
    .description('Revoke consent. Capture has ended when this returns. Works with the daemon down.')
    .option('--yes', 'do not ask, and purge only what the next two say')
    .option('--purge-unsent', 'also delete what was not sent')
    .option('--erase-sent', 'also have the collector erase what was sent')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  telemetryctl consent revoke\n  telemetryctl consent revoke --yes --purge-unsent --erase-sent',
    )
    .action((options: Options) => withdraw(io, options));
}

async function withdraw(io: CliIo, options: Options): Promise<void> {
  const { yes, json, purgeUnsent, eraseSent } = options;
  await confirm(
    io,
    yes === true,
    'telemetryctl consent revoke --yes',
    'Revoke consent and end all capture? [y/N] ',
  );
  const reply = await revoke(io);
  if (json !== true) print(io, reply, options);
  const wanted = { purgeUnsent: purgeUnsent === true, eraseSent: eraseSent === true };
  const purged = await purgeAfterRevoke(io, wanted, yes !== true && io.canAsk);
  if (json === true) {
    io.out(`${JSON.stringify({ schema: 1, ...reply, purge: purged?.receipt ?? null }, null, 2)}\n`);
    return;
  }
  if (purged === null) return;
  const { openErasures } = await import('../purge.ts');
  const { receiptPage } = await import('../text/purge-page.ts');
  const open = await openErasures(io, purged.receipt, purged.isAtRest);
  io.out(`\n${receiptPage(purged.receipt, open, io.clock.now().wallMs)}`);
}

async function grant(io: CliIo, options: Options): Promise<ConsentReply> {
  requireAnswer(io, options.yes === true, 'telemetryctl notice, then telemetryctl consent grant --yes');
  const notice = await askDaemon(io, (socketPath) => get(socketPath, 'notice'));
  // On standard error where standard output is for JSON; the notice is shown either way.
  const show =
    options.json === true ? (text: string): void => io.err(text) : (text: string): void => io.out(text);
  show(`${notice.text.trimEnd()}\n\n`);
  await confirm(io, options.yes === true, 'telemetryctl consent grant --yes', 'Do you agree to this? [y/N] ');
  const via = options.yes === true ? 'script' : 'terminal';
  const { identityPath } = locations(io.around);
  // Loaded here alone: the library behind it is large, and every other command does without it.
  const { ensureOwnerIdentity } = await import('../../privacy/owner-identity.ts');
  const ownerRecipient = await ensureOwnerIdentity(identityPath);
  const request = { noticeId: notice.id, via, ownerRecipient } as const;
  return askDaemon(io, (socketPath) => post(socketPath, 'grant', request));
}

function print(io: CliIo, reply: ConsentReply, { json }: Options): void {
  io.out(
    json === true
      ? `${JSON.stringify({ schema: 1, ...reply }, null, 2)}\n`
      : page(reply, io.clock.now().wallMs),
  );
}

const TITLES = {
  granted: 'Consent stands.',
  missing: 'Nobody has agreed to collection; nothing is captured.',
  stale: 'The policy takes more, or goes elsewhere, than was agreed to; nothing is captured.',
  revoked: 'Consent was revoked; nothing is captured.',
} as const;

function page({ state, noticeId, receipt, changes }: ConsentReply, nowMs: number): string {
  const lines: string[] = [TITLES[state], ''];
  if (receipt !== null) {
    const by = receipt.via === 'terminal' ? 'on a terminal' : 'by a script';
    lines.push(row('Granted', `${moment(receipt.grantedAt, nowMs)} ${by}, uid ${receipt.uid}`));
    if (receipt.revokedAt !== null) lines.push(row('Revoked', moment(receipt.revokedAt, nowMs)));
    lines.push(row('Receipt', receipt.id), row('For notice', receipt.noticeId));
    lines.push(row('Goes to', receipt.destination === '' ? 'nowhere: nothing is sent' : receipt.destination));
  }
  lines.push(row('In force', `notice ${printable(noticeId)}`));
  if (changes.length > 0)
    lines.push(row('Changed', 'since it was granted:'), ...changes.map((text) => bullet(text, 13)));
  if (state !== 'granted') lines.push('', 'Try: telemetryctl consent grant');
  return `${lines.join('\n')}\n`;
}
