// @ts-check
/**
 * Bundles the programs into `dist/` when the sources changed.
 *
 * --strict       fails when a program's first file is missing
 * --if-possible  does nothing where the build tool is not installed (an install without development packages)
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDist, isDistCurrent, missingPrograms } from './dist.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const flags = process.argv.slice(2);
const missing = missingPrograms(root);

if (flags.includes('--if-possible') && !fs.existsSync(path.join(root, 'node_modules/esbuild'))) {
  console.log('build: esbuild is not installed, so dist/ stays as it is');
} else if (flags.includes('--strict') && missing.length > 0) {
  console.error(`build: no source for ${missing.join(', ')}\nTry: git status, the checkout is incomplete`);
  process.exitCode = 1;
} else if (isDistCurrent(root)) {
  console.log('build: dist/ is current');
} else {
  const startedMs = performance.now();
  const { programs, sizeBytes } = await buildDist(root);
  const took = `${Math.round(performance.now() - startedMs)} ms`;
  console.log(`build: ${programs} programs, ${Math.round(sizeBytes / 1024)} KiB in dist/ (${took})`);
}
