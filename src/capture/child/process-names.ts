import { readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * What the program of a process is called, by its file and by the name the kernel has for it (15 bytes at most). A
 * process that hides its file from others, as password managers do, still has the second. Empty when there is none.
 */
export function processNames(pid: number, procDir = '/proc'): string[] {
  const folder = join(procDir, String(pid));
  const file = attempt(() => basename(readlinkSync(join(folder, 'exe'))).replace(/ \(deleted\)$/, ''));
  const name = attempt(() => readFileSync(join(folder, 'comm'), 'utf8').trim());
  return [file, name].flatMap((found) => (found === undefined || found === '' ? [] : [found]));
}

function attempt(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
