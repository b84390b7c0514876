import { EXIT, exitCodeFor, messageOf, TelemetryError } from '../../core/errors.ts';
import { openReason } from '../exemption-reason.ts';
import { readNamedIdentities } from '../owner-identity.ts';

interface Output {
  readonly stdout: { write(text: string): void };
  readonly stderr: { write(text: string): void };
}

/**
 * Opens the reason of one request for an exemption: `reason-opener IDENTITY_FILE`, the age file on standard input, its
 * text on standard output. A program of its own, so that the collector cannot open anything by itself.
 */
export async function runReasonOpener(
  argv: readonly string[],
  input: AsyncIterable<unknown>,
  { stdout, stderr }: Output,
): Promise<number> {
  try {
    const [identityFile = ''] = argv;
    const identities = readNamedIdentities(identityFile);
    const parts: Uint8Array[] = [];
    for await (const part of input) parts.push(part as Uint8Array);
    stdout.write(await openReason(identities, Buffer.concat(parts)));
    return EXIT.ok;
  } catch (error) {
    const hint = error instanceof TelemetryError ? error.hint : '';
    stderr.write(`${messageOf(error)}\n${hint}\n`);
    return exitCodeFor(error);
  }
}
