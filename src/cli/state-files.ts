import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What a file of the state folder holds; `undefined` when there is none or it is damaged. For looking only: unlike the
 * daemon's reader it never moves a damaged file aside.
 */
export function decoded<T>(stateDir: string, name: string, decode: (json: unknown) => T): T | undefined {
  try {
    return decode(JSON.parse(readFileSync(join(stateDir, name), 'utf8')));
  } catch {
    return undefined;
  }
}
