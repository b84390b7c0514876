import type { Command } from 'commander';
import { post } from '../../control/calls.ts';
import type { CollectionName } from '../../core/collection.ts';
import { askDaemon, isDaemonDown } from '../daemon.ts';
import type { CliIo } from '../io.ts';
import { resumeAtRest } from '../pause-at-rest.ts';
import { STATE_WORDS } from '../text/state-words.ts';

const EXAMPLES = `
Examples:
  telemetryctl resume
  telemetryctl resume --json`;

/** Adds `resume [--json]`. */
export function define(command: Command, io: CliIo): void {
  command
    .option('--json', 'print JSON: the state of collection after it')
    .addHelpText('after', EXAMPLES)
    .action(async (options: { json?: true }) => {
      const state = await resume(io);
      const isJson = options.json === true;
      io.out(isJson ? `${JSON.stringify({ schema: 1, state }, null, 2)}\n` : words(state));
    });
}

async function resume(io: CliIo): Promise<CollectionName> {
  try {
    const { collection } = await askDaemon(io, (socketPath) => post(socketPath, 'resume', {}));
    return collection.state;
  } catch (error) {
    if (!isDaemonDown(error)) throw error;
    resumeAtRest(io);
    return 'stopped';
  }
}

function words(state: CollectionName): string {
  if (state === 'stopped') return 'No pause stands any more. The daemon is down, so nothing is captured.\n';
  return `No pause stands any more. ${STATE_WORDS[state].words}.\n`;
}
