import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { locations } from '../../control/locations.ts';
import { TelemetryError } from '../../core/errors.ts';
import { ensureFolder } from '../../spool/durable-file.ts';
import { sinceArgument } from '../duration-argument.ts';
import { FileTarget } from '../export-target.ts';
import { addIdentityOption } from '../identity-option.ts';
import type { CliIo } from '../io.ts';
import { startOfDay } from '../report/days.ts';
import { gatherReport } from '../report/gather.ts';
import { reportPage } from '../report/page.ts';
import { SegmentOpener } from '../segment-file.ts';

const EXAMPLES = `
One HTML file that only you can read: when it recorded and when not, events by
the hour, what was kept of keys, bytes against the budget, and what it cost. It
has no script and loads nothing. Made from the files on this device, with the
daemon or without, in whole days; without --out in the folder reports beside
them.

Examples:
  telemetryctl report
  telemetryctl report --since 1d --out today.html`;

interface Options {
  out?: string;
  since: string;
  identity?: string[];
  json?: true;
}

/** Adds `report [--out FILE] [--since D] [--identity FILE] [--json]`. */
export function define(command: Command, io: CliIo): void {
  addIdentityOption(command)
    .option('-o, --out <file>', 'a new file to write to')
    .option('--since <duration>', 'how far back, at most 31d', '7d')
    .option('--json', 'print JSON: path, events, files')
    .addHelpText('after', EXAMPLES)
    .action((options: Options) => report(io, options));
}

/** No more is kept of the history. */
const MOST_MS = 31 * 86_400_000;

async function report(io: CliIo, { out, since, identity, json }: Options): Promise<void> {
  const { wallMs } = io.clock.now();
  const sinceMs = sinceArgument(since, io, 'telemetryctl report --since');
  if (wallMs - sinceMs > MOST_MS) {
    throw new TelemetryError('limit', 'A report goes back at most 31 days.', {
      hint: 'telemetryctl report --since 31d; telemetryctl log has all before that',
    });
  }
  const path = out === undefined ? ownPath(io, wallMs) : resolve(io.around.cwd, out);
  const opener = new SegmentOpener(io, identity ?? []);
  await opener.prepare();
  const target = new FileTarget(path, wallMs, '--out');
  if (out === undefined) ensureFolder(dirname(path), true);
  target.open();
  try {
    const data = await gatherReport(io, startOfDay(sinceMs), opener);
    target.write(reportPage(data));
    target.finish();
    const { events } = data.activity;
    if (json === true) io.out(`${JSON.stringify({ schema: 1, path, events, files: data.files }, null, 2)}\n`);
    else io.out(`${path}\n`);
  } catch (error) {
    target.discard();
    throw error;
  }
}

/** `reports/2026-11-24-140500.html` in the person's own state folder. */
function ownPath(io: CliIo, wallMs: number): string {
  const local = new Date(wallMs - new Date(wallMs).getTimezoneOffset() * 60_000).toISOString();
  const name = `${local.slice(0, 10)}-${local.slice(11, 19).replaceAll(':', '')}.html`;
  return join(locations(io.around).stateDir, 'reports', name);
}
