import { join } from 'node:path';
import { readPlainFile, writeDurably } from './durable-file.ts';

/** The signature that tells backup programs to leave a folder out, and a word for people (bford.info/cachedir). */
const TEXT = `Signature: 8a477f597d28d172789f06886806bc55
# What telemetryd recorded and has not sent yet. In a backup it would outlive its retention and every purge.
`;

/** Keeps a state folder out of backups that know the Cache Directory Tagging Specification. */
export function tagAsCache(folder: string): void {
  const path = join(folder, 'CACHEDIR.TAG');
  if (readPlainFile(path) === undefined) writeDurably(path, new TextEncoder().encode(TEXT));
}
