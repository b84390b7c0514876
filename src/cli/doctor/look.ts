import { lstatSync, type Stats } from 'node:fs';

/** What is at a path, a link itself; `undefined`: nothing; `closed`: not for this account to see. */
export function look(path: string): Stats | undefined | 'closed' {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return 'closed';
  }
}
