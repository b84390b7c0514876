// @ts-check
import fs from 'node:fs';
import path from 'node:path';

/**
 * A package of others that is in ours.
 *
 * @typedef {{ name: string, version: string, licence: string, integrity: string, text: string }} Component
 */

/** Licences that ask for no more than to be named. Anything else is looked at by a person before it is shipped. */
export const ALLOWED_LICENCES = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD'];

/** Files as they are, besides what is bundled, and where the licence lies that came without one. */
const SHIPPED = [`node-linux-${process.arch}`, `@koromix/koffi-linux-${process.arch}`];
/** @type {Readonly<Record<string, string>>} */
const LICENCE_ELSEWHERE = { [`@koromix/koffi-linux-${process.arch}`]: 'koffi/LICENSE.txt' };

/**
 * The packages in these source files and beside them, by name. Throws when one may not be shipped.
 *
 * @param {string} root
 * @param {readonly string[]} sources
 * @returns {Component[]}
 */
export function componentsOf(root, sources) {
  const bundled = sources.flatMap((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []);
  const { packages } = JSON.parse(fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
  return [...new Set([...bundled, ...SHIPPED])].sort().map((name) => {
    const folder = path.join(root, 'node_modules', name);
    const { version, license: licence } = JSON.parse(
      fs.readFileSync(path.join(folder, 'package.json'), 'utf8'),
    );
    if (!ALLOWED_LICENCES.includes(licence)) {
      throw new Error(`${name} is under ${licence}, which nobody has agreed to ship\nTry: leave it out`);
    }
    const { integrity } = packages[`node_modules/${name}`] ?? {};
    return { name, version, licence, integrity, text: licenceOf(root, name, folder) };
  });
}

/**
 * @param {string} root
 * @param {string} name
 * @param {string} folder
 */
function licenceOf(root, name, folder) {
  const found = fs.readdirSync(folder).find((file) => /^licen[cs]e(\.(md|txt))?$/i.test(file));
  const elsewhere = LICENCE_ELSEWHERE[name];
  const file =
    found !== undefined
      ? path.join(folder, found)
      : elsewhere === undefined
        ? undefined
        : path.join(root, 'node_modules', elsewhere);
  if (file === undefined) throw new Error(`${name} has no licence text\nTry: LICENCE_ELSEWHERE`);
  return fs.readFileSync(file, 'utf8').trim();
}

/**
 * Our licence, then that of each package in ours.
 *
 * @param {string} root
 * @param {readonly Component[]} components
 */
export function licenceText(root, components) {
  const own = fs.readFileSync(path.join(root, 'LICENSE'), 'utf8').trim();
  const parts = components.map(
    ({ name, version, licence, text }) => `${'='.repeat(80)}\n${name} ${version} (${licence})\n\n${text}\n`,
  );
  return `telemetryd is under the Apache License 2.0:\n\n${own}\n\nIt contains:\n\n${parts.join('\n')}`;
}
