import type { Command } from 'commander';
import { type AdminDesk, addAdmin, listAdmins, revokeAdmin } from './admin-command.ts';
import type { PlaceFlags } from './stores.ts';

const EXAMPLES = `
With a token one signs in to the page that serve --admin-listen has; only its
hash is kept. Decisions are recorded under the name.

Examples:
  telemetry-collector admin-token add "Ada Lovelace"
  telemetry-collector admin-token list
  telemetry-collector admin-token revoke "Ada Lovelace"`;

/** The options of these commands. */
export interface AdminFlags extends PlaceFlags {
  readonly json?: true;
}

type OpenDesk = (options: AdminFlags, access: 'read-only' | 'read-write') => AdminDesk;

/** Adds `admin-token add|list|revoke`. */
export function defineAdmins(command: Command, adminDesk: OpenDesk): void {
  const tokens = command
    .command('admin-token')
    .description('say who may use the page for deciders')
    .addHelpText('after', EXAMPLES);
  const add = (name: string, description: string): Command =>
    tokens
      .command(name)
      .description(description)
      .option('--data <dir>', 'of the collector (default: the XDG data folder)')
      .option('--catalog <url>', 'postgres://…, of collectors that share one')
      .option('--json', 'one JSON document, times in UTC')
      .addHelpText('after', EXAMPLES);
  add('add <name>', 'print a new token for that person').action((name: string, options: AdminFlags) =>
    addAdmin(name, adminDesk(options, 'read-write')),
  );
  add('list', 'list who has one').action((options: AdminFlags) =>
    listAdmins(adminDesk(options, 'read-only')),
  );
  add('revoke <name>', 'sign that person out, for good').action((name: string, options: AdminFlags) =>
    revokeAdmin(name, adminDesk(options, 'read-write')),
  );
}
