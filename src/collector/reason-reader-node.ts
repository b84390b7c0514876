import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../core/errors.ts';
import { SAFE_FLAGS } from '../core/node-flags.ts';
import { openerFailure } from './opener-failure.ts';

/** How long opening some kilobytes may take on a slow machine, the start of a process included. */
const TIMEOUT_MS = 20_000;

/** Opens a reason with the identities in a file, in a program of its own: this one holds no way to decrypt. */
export async function readReason(identityFile: string, reason: Uint8Array): Promise<string> {
  const opener = fileURLToPath(new URL('./reason-opener.js', import.meta.url));
  const child = spawn(process.execPath, [...SAFE_FLAGS, opener, identityFile], {
    env: {},
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => out.push(part));
  child.stderr.on('data', (part: Buffer) => err.push(part));
  // A program that ends before it has read everything: its exit says so.
  child.stdin.on('error', () => undefined);
  child.stdin.end(reason);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === EXIT.ok) return Buffer.concat(out).toString('utf8');
  throw openerFailure(code, Buffer.concat(err).toString('utf8'), {
    message: 'the reason could not be opened',
    op: 'open the reason',
    hint: '--identity FILE as age-keygen makes it',
  });
}
