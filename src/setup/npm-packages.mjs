// @ts-check
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/**
 * Whether `node_modules` holds what `package-lock.json` asks for on this machine. npm writes the list this is compared
 * with (`node_modules/.package-lock.json`) after everything else, so that an interrupted installation has none.
 *
 * @param {string} root
 * @returns {boolean}
 */
export function arePackagesInstalled(root) {
  const installed = lockedPackages(path.join(root, 'node_modules/.package-lock.json'));
  const wanted = lockedPackages(path.join(root, 'package-lock.json'));
  if (installed === undefined || wanted === undefined) return false;
  return Object.entries(wanted).every(
    ([place, entry]) => !isNeeded(place, entry) || installed[place]?.version === entry.version,
  );
}

/**
 * Runs `npm ci`; what it prints is shown only when it fails. Install scripts do not run: no package here needs one.
 *
 * @param {string} root
 * @returns {string | undefined} what npm said, when it failed
 */
export function installPackages(root) {
  // `npm ci` empties the folder in no particular order. Without this list a half emptied folder is never taken for whole.
  fs.rmSync(path.join(root, 'node_modules/.package-lock.json'), { force: true });
  const ran = spawnSync(
    ...npm([
      'ci',
      '--ignore-scripts',
      '--include=dev',
      '--include=optional',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ]),
    { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
  );
  if (ran.status === 0) return undefined;
  return ran.error === undefined ? `${ran.stdout}${ran.stderr}`.trim() : ran.error.message;
}

/**
 * The npm that started us, else the one in the path.
 *
 * @param {string[]} args
 * @returns {[string, string[]]}
 */
function npm(args) {
  const running = process.env['npm_execpath'] ?? '';
  return path.basename(running) === 'npm-cli.js' ? [process.execPath, [running, ...args]] : ['npm', args];
}

/** @typedef {{ version?: string, optional?: boolean, devOptional?: boolean }} LockedPackage */

/**
 * @param {string} file
 * @returns {Record<string, LockedPackage> | undefined}
 */
function lockedPackages(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined; // missing or half written: the same as not installed
  }
}

/**
 * npm leaves optional packages out when it cannot have them, and that is final; but the Node runtime and the build
 * tool's binary for this machine are optional in name only.
 *
 * @param {string} place
 * @param {LockedPackage} entry
 */
function isNeeded(place, entry) {
  const machine = `${process.platform}-${process.arch}`;
  if (place === `node_modules/node-${machine}` || place === `node_modules/@esbuild/${machine}`) return true;
  return place !== '' && entry.optional !== true && entry.devOptional !== true;
}
