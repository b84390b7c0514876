import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, open, readFile, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TelemetryError } from '../core/errors.ts';
import { isKey, type KeyPair, makeKeyPair } from '../signing/ed25519.ts';
import { codeOf } from './file-error.ts';

/** In the data folder, 0600. */
const IDENTITY = 'collector-key.json';

/** The collector's own key in its data folder. */
export function openIdentity(dataDir: string): Promise<KeyPair> {
  return openIdentityFile(join(dataDir, IDENTITY));
}

/**
 * The collector's own key in a file, made where there is none yet. Every device pins it at enrolment, so a damaged file is an
 * error and never replaced: a new key would be nobody's to trust.
 */
export async function openIdentityFile(path: string): Promise<KeyPair> {
  if (!existsSync(path)) await make(path);
  try {
    const { publicKey, privateKey } = JSON.parse(await readFile(path, 'utf8')) as Partial<KeyPair>;
    if (isKey(publicKey) && isKey(privateKey)) return { publicKey, privateKey };
  } catch {
    // Said below.
  }
  throw new TelemetryError('failed', `${path} is not the collector’s key`, {
    op: 'open identity',
    hint: 'bring it back from a backup; without it every device must enrol anew',
  });
}

/** Whole or not at all, and by one of several that start at once. */
async function make(path: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify({ schema: 1, ...makeKeyPair() })}\n`);
    await file.sync();
    await link(temporary, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await file.close();
    await unlink(temporary);
  }
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
}
