import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Tests of processes run the built programs, so `dist/` is brought up to date once before all of them. */
export function setup(): void {
  const build = fileURLToPath(new URL('../../src/setup/build.mjs', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [build, '--strict'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`dist/ cannot be built: ${stderr}`);
}
