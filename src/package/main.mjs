// @ts-check
/**
 * Builds what fleets install: a Debian package, an RPM package and a tarball for Linux machines of this architecture,
 * with their own Node, so that those need neither Node nor npm.
 *
 * --out FOLDER      where to put them (default: build)
 * --formats LIST    deb,rpm,tar (default: those for which this machine has the tools)
 * --fast            compress little: for tests
 *
 * `SOURCE_DATE_EPOCH` is the time that they carry; without it that of the last commit.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildDist, isDistCurrent } from '../setup/dist.mjs';
import { buildDeb } from './deb.mjs';
import { buildRpm } from './rpm.mjs';
import { buildTarball } from './tarball.mjs';
import { packageTree, sizeOf } from './tree.mjs';

/**
 * What a format is built from.
 *
 * @typedef {object} Made
 * @property {import('./tree.mjs').Tree} tree
 * @property {string} version
 * @property {Date} madeAt
 * @property {string} work an empty folder, removed afterwards
 * @property {string} out
 * @property {boolean} isFast
 */

const FORMATS = /** @type {Readonly<Record<string, { tool: string, build: (made: Made) => string }>>} */ ({
  deb: { tool: 'dpkg-deb', build: buildDeb },
  rpm: { tool: 'rpmbuild', build: buildRpm },
  tar: { tool: 'tar', build: buildTarball },
});

const root = fileURLToPath(new URL('../..', import.meta.url));

try {
  await main();
} catch (error) {
  console.error(`package: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function main() {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: path.join(root, 'build') },
      formats: { type: 'string' },
      fast: { type: 'boolean', default: false },
    },
  });
  if (process.platform !== 'linux') throw new Error('these packages are for Linux\nTry: on a Linux machine');
  const names = values.formats?.split(',') ?? Object.keys(FORMATS).filter((name) => hasTool(name));
  for (const name of names) {
    if (FORMATS[name] === undefined) throw new Error(`no format ${name}\nTry: --formats deb,rpm,tar`);
    if (!hasTool(name)) throw new Error(`${name} needs ${FORMATS[name].tool}\nTry: install it`);
  }
  if (!isDistCurrent(root)) await buildDist(root);
  const madeAt = new Date(sourceDate() * 1000);
  const { tree, components, version } = await packageTree(root, madeAt);
  const out = path.resolve(values.out);
  fs.mkdirSync(out, { recursive: true });
  console.log(`${tree.size} files, ${megabytes(sizeOf(tree))}; ${components.length} packages of others`);
  for (const name of names) {
    const work = fs.mkdtempSync(path.join(os.tmpdir(), 'telemetryd-package-'));
    try {
      const file = FORMATS[name]?.build({ tree, version, madeAt, work, out, isFast: values.fast }) ?? '';
      console.log(`${file} ${megabytes(fs.statSync(file).size)}`);
    } finally {
      fs.rmSync(work, { recursive: true, force: true });
    }
  }
}

/** @param {string} format */
function hasTool(format) {
  return spawnSync(FORMATS[format]?.tool ?? '', ['--version']).status === 0;
}

/** Seconds since the epoch. */
function sourceDate() {
  const given = process.env['SOURCE_DATE_EPOCH'];
  if (given !== undefined && /^\d{1,10}$/.test(given)) return Number(given);
  const { stdout } = spawnSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' });
  const seconds = Number(stdout);
  if (seconds > 0) return seconds;
  throw new Error(
    'nothing here tells the time that packages are to carry\nTry: SOURCE_DATE_EPOCH=$(date +%s)',
  );
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
