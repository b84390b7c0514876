import type { Command } from 'commander';
import { TelemetryError } from '../../core/errors.ts';
import { enrol } from '../enrol.ts';
import { readTokenFile } from '../enrolment-files.ts';
import type { CliIo } from '../io.ts';

const EXAMPLES = `
The token is good once. It names the collector's key too, so that no other can
answer for it. The address must be that of upload.url in the policy.

Examples:
  telemetryctl enroll https://collector.example.com TOKEN
  telemetryctl enroll https://collector.example.com --token-file token.txt
  telemetryctl enroll http://127.0.0.1:7717 TOKEN --json`;

interface Options {
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly json?: true;
}

/** Adds `enroll URL [TOKEN] [--token-file FILE] [--ca FILE] [--json]`. */
export function define(command: Command, io: CliIo): void {
  command
    .argument('<url>', 'of the collector')
    .argument('[token]', 'from telemetry-collector enroll; others on this machine can see it while it runs')
    .option('--token-file <file>', 'read the token from a file that only you can read')
    .option('--ca <file>', 'PEM of the certificate authority that vouches for the collector')
    .option('--json', 'print JSON: url, device, key, collectorKey')
    .addHelpText('after', EXAMPLES)
    .action(async (url: string, token: string | undefined, options: Options) => {
      const { tokenFile, ca = null } = options;
      if ((token === undefined) === (tokenFile === undefined)) {
        throw new TelemetryError('usage', 'A token is needed, once: as an argument or in a file.', {
          hint: 'telemetry-collector enroll prints one, where the collector runs',
        });
      }
      const enrolled = await enrol(io, { url, token: token ?? readTokenFile(tokenFile ?? ''), ca });
      const { device, key, collectorKey } = enrolled;
      io.out(
        options.json === true
          ? `${JSON.stringify({ schema: 1, url, device, key, collectorKey }, null, 2)}\n`
          : `This device is enrolled at ${url} as ${device}.\nIts key: ${key}\nThe collector’s key: ${collectorKey}\n`,
      );
    });
}
