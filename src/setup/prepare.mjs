// @ts-check
/**
 * What `npm start` and `npm test` run first: installs and builds what is missing, and only that. Every step looks at
 * what is there, so that an interrupted run is completed by the next one and a second run does and says nothing.
 *
 * Runs on Node 20 and without any package. Usage: node src/setup/prepare.mjs start|test
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDist, isDistCurrent, missingPrograms } from './dist.mjs';
import { arePackagesInstalled, installPackages } from './npm-packages.mjs';
import { installCommand, installSystemPackages, missingSystemPackages } from './system-packages.mjs';

const OLDEST_NODE = 24;

const root = fileURLToPath(new URL('../..', import.meta.url));
const purpose = process.argv[2];
if (purpose === 'start' || purpose === 'test') process.exitCode = await prepare(purpose);
else fail('usage: prepare.mjs start|test', 'npm start');

/**
 * @param {'start' | 'test'} what
 * @returns {Promise<0 | 1>}
 */
async function prepare(what) {
  return preparePackages() && prepareSystem(what) && (await prepareDist()) ? 0 : 1;
}

function preparePackages() {
  if (!arePackagesInstalled(root)) {
    say('installing npm packages (once; about 20 seconds)');
    const problem = installPackages(root);
    if (problem !== undefined)
      return fail(`npm ci failed:\n${problem}`, 'check the network, then run this again');
    if (!arePackagesInstalled(root)) {
      return fail(
        'npm ci left packages out.',
        'npm ci --include=dev --include=optional, and read what it says',
      );
    }
    return isRuntimeUsable();
  }
  return Number.parseInt(process.versions.node, 10) >= OLDEST_NODE || isRuntimeUsable();
}

/** The scripts run on the `node` that npm's path finds first: the packages' own where there is one. */
function isRuntimeUsable() {
  const own = path.join(root, 'node_modules/.bin/node');
  const ran = spawnSync(fs.existsSync(own) ? own : 'node', ['--version'], { encoding: 'utf8' });
  const version = ran.status === 0 ? ran.stdout.trim() : '';
  if (Number.parseInt(version.slice(1), 10) >= OLDEST_NODE) return true;
  const found = version === '' ? 'the packaged one does not run here' : `this is ${version}`;
  return fail(
    `Node ${OLDEST_NODE} or later is needed, and ${found} (${process.platform}-${process.arch}).`,
    `install Node ${OLDEST_NODE} from https://nodejs.org, then run this again`,
  );
}

/** @param {'start' | 'test'} what */
function prepareSystem(what) {
  const { missing, needed } = missingSystemPackages(root, what);
  if (missing.length === 0) return true;
  say(`installing system packages (once): ${missing.join(' ')}`);
  const problem = installSystemPackages(missing);
  if (problem === undefined) return true;
  const text = `could not install ${missing.join(' ')}: ${problem}`;
  if (what === 'start' && missing.some((name) => needed.includes(name)))
    return fail(text, installCommand(missing));
  say(`${text}\nThe tests that need them are skipped.\nTry: ${installCommand(missing)}`);
  return true;
}

async function prepareDist() {
  if (isDistCurrent(root)) return true;
  const missing = missingPrograms(root);
  if (missing.length > 0) {
    return fail(`no source for ${missing.join(', ')}`, 'git status: the checkout is incomplete');
  }
  say('building');
  await buildDist(root);
  return true;
}

/** @param {string} text */
function say(text) {
  process.stderr.write(`telemetryd: ${text}\n`);
}

/**
 * @param {string} text
 * @param {string} hint
 */
function fail(text, hint) {
  say(`${text}\nTry: ${hint}`);
  process.exitCode = 1;
  return false;
}
