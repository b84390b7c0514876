// @ts-check
import fs from 'node:fs';

/**
 * What a package manager runs, in shell; the same for all of them.
 *
 * @param {'installed' | 'removing' | 'removed' | 'purged'} name
 */
export function scriptText(name) {
  return fs.readFileSync(new URL(`./scripts/${name}.sh`, import.meta.url), 'utf8');
}
