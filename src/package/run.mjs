// @ts-check
import { spawnSync } from 'node:child_process';

/**
 * Runs a program that packs, with the time that it is to write; throws with what it said when it fails.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {Date} madeAt
 */
export function run(program, args, madeAt) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    env: {
      ...process.env,
      SOURCE_DATE_EPOCH: String(Math.floor(madeAt.getTime() / 1000)),
      LC_ALL: 'C.UTF-8',
      TZ: 'UTC',
    },
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return;
  throw new Error(`${program} failed: ${error?.message ?? `${stdout}${stderr}`.trim()}`);
}
