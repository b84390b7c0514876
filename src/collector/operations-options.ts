import { resolve } from 'node:path';
import type { Command } from 'commander';

const BACKUP_EXAMPLES = `
Works while the collector serves. Everything it acknowledged before is in it.

Examples:
  telemetry-collector backup --to /backup/2026-11-26
  telemetry-collector backup --data /srv/telemetry --to /backup/today --json`;

const RESTORE_EXAMPLES = `
Makes a data folder from a backup, whole or not at all; every digest is checked.

Examples:
  telemetry-collector restore --from /backup/today --erasures /other/erased.log
  telemetry-collector restore --from /backup/today --data /srv/new --erasures none`;

const OPENAPI_EXAMPLES = `
Examples:
  telemetry-collector openapi > openapi.json
  telemetry-collector openapi | jq '.paths | keys'`;

interface BackupFlags {
  readonly data?: string;
  readonly to: string;
  readonly json?: true;
}

interface RestoreFlags {
  readonly data?: string;
  readonly from: string;
  readonly erasures?: string;
  readonly json?: true;
}

/** What these commands are given of the world. */
export interface OperationsDesk {
  readonly defaultDataDir: () => string;
  readonly wallMs: () => number;
  readonly write: (text: string) => void;
}

/** Adds `backup`, `restore` and `openapi`. */
export function defineOperations(command: Command, { defaultDataDir, wallMs, write }: OperationsDesk): void {
  command
    .command('backup')
    .description('copy everything, while it serves')
    .requiredOption('--to <dir>', 'a folder that is not there yet')
    .option('--data <dir>', 'of the collector (default: the XDG data folder)')
    .option('--json', 'one JSON document')
    .addHelpText('after', BACKUP_EXAMPLES)
    .action(async ({ data, to, json }: BackupFlags) => {
      // Loaded here, as below, so that the other commands start without it.
      const { backup } = await import('./backup-command.ts');
      const dataDir = resolve(data ?? defaultDataDir());
      await backup({ dataDir, to: resolve(to), isJson: json === true, wallMs, write });
    });
  command
    .command('restore')
    .description('make a data folder from a backup')
    .requiredOption('--from <dir>', 'what backup --to made')
    .option('--data <dir>', 'where, not there yet (default: the XDG data folder)')
    .option('--erasures <file>', 'what serve --erasure-log wrote since, or none')
    .option('--json', 'one JSON document')
    .addHelpText('after', RESTORE_EXAMPLES)
    .action(async ({ data, from, erasures, json }: RestoreFlags) => {
      const { restore } = await import('./restore-command.ts');
      const dataDir = resolve(data ?? defaultDataDir());
      await restore({ from: resolve(from), dataDir, erasures, isJson: json === true, wallMs, write });
    });
  command
    .command('openapi')
    .description('print the OpenAPI document of the HTTP interface')
    .addHelpText('after', OPENAPI_EXAMPLES)
    .action(async () => {
      const { openApiDocument } = await import('./openapi.ts');
      write(`${JSON.stringify(openApiDocument(), null, 2)}\n`);
    });
}
