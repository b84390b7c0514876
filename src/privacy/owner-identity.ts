import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { TelemetryError } from '../core/errors.ts';
import { newIdentity, recipientOf } from '../segment/age-file.ts';
import { ensureFolder, readPlainFile, writeDurably } from '../spool/durable-file.ts';

/**
 * The public half of the device owner's own key, made when there is none yet: a file as `age-keygen` writes it, 0600,
 * in the person's configuration folder. It never leaves that file; whoever loses it can no longer open their data.
 */
export async function ensureOwnerIdentity(path: string): Promise<string> {
  const existing = readOwnerIdentities(path);
  if (existing !== null) return await recipientOf(existing[0] ?? '');
  ensureFolder(dirname(path), true);
  const { identity, recipient } = await newIdentity();
  const text = `# Opens what telemetryd recorded of you. Keep it secret, and keep a copy.\n# public key: ${recipient}\n${identity}\n`;
  writeDurably(path, new TextEncoder().encode(text));
  return recipient;
}

/** {@link readOwnerIdentities} of a file that somebody named; throws when there is none. */
export function readNamedIdentities(path: string, name = path): string[] {
  const identities = readOwnerIdentities(path);
  if (identities !== null) return identities;
  throw new TelemetryError('failed', `${name}: there is no such file`, {
    hint: 'check the path given with --identity',
  });
}

/** The identities in a file of `age-keygen`'s form; `null` when there is no file. */
export function readOwnerIdentities(path: string): string[] | null {
  const bytes = readPlainFile(path);
  if (bytes === undefined) return null;
  if ((lstatSync(path).mode & 0o077) !== 0) {
    throw new TelemetryError('not-permitted', `Others can read the identity file ${path}.`, {
      op: 'read the identity',
      hint: `chmod 600 ${path}, and consider it known to them`,
    });
  }
  const identities = new TextDecoder()
    .decode(bytes)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (identities.length > 0) return identities;
  throw new TelemetryError('failed', `The identity file ${path} holds no identity.`, {
    op: 'read the identity',
    hint: 'move it away; telemetryctl consent grant makes a new one',
  });
}
