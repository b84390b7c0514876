// @ts-check
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { bundlePrograms, manualPages } from '../setup/dist.mjs';
import { componentsOf, licenceText } from './components.mjs';
import { billOfMaterials } from './sbom.mjs';

/** What runs on a laptop. The collector, `npm start` and the library for readers stay out. */
const PROGRAMS = [
  'telemetryd',
  'telemetryctl',
  'capture-child',
  'telemetry-uploader',
  'policy-loader',
  'segment-sealer',
  'reason-opener',
];
const COMMANDS = ['telemetryd', 'telemetryctl'];
const LIB = 'usr/lib/telemetryd';
const DOC = 'usr/share/doc/telemetryd';

/** Where files of administrators lie; package managers keep what they changed. */
export const CONFIGURATION_FILES = ['/etc/telemetryd/policy.toml'];

/**
 * A machine's files before they are packed: by path without the leading slash, text or bytes with a mode, or a link's
 * target. Folders are made as needed, 0755.
 *
 * @typedef {{ content: Uint8Array, mode: number } | { link: string }} Entry
 * @typedef {Map<string, Entry>} Tree
 */

/**
 * Everything that the packages put on a machine of this architecture.
 *
 * @param {string} root
 * @param {Date} madeAt what is written into pages; see https://reproducible-builds.org/specs/source-date-epoch
 * @returns {Promise<{ tree: Tree, components: import('./components.mjs').Component[], version: string }>}
 */
export async function packageTree(root, madeAt) {
  /** @type {Tree} */
  const tree = new Map();
  const put = (/** @type {string} */ name, /** @type {string | Uint8Array} */ content, mode = 0o644) => {
    tree.set(name, { content: typeof content === 'string' ? Buffer.from(content) : content, mode });
  };
  const copy = (/** @type {string} */ from, /** @type {string} */ to, mode = 0o644) => {
    put(to, fs.readFileSync(path.join(root, from)), mode);
  };
  const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));

  const { files, sources } = await bundlePrograms(root, PROGRAMS);
  for (const { name, text } of files) put(`${LIB}/dist/${name}`, text);
  // The bundles are ES modules by this.
  put(`${LIB}/package.json`, `${JSON.stringify({ name: 'telemetryd', version, type: 'module' })}\n`);
  for (const name of [...COMMANDS, 'telemetry-uploader']) copy(`bin/${name}`, `${LIB}/bin/${name}`, 0o755);
  for (const name of COMMANDS) tree.set(`usr/bin/${name}`, { link: `../lib/telemetryd/bin/${name}` });

  const runtime = `node_modules/node-linux-${process.arch}/bin/node`;
  copy(runtime, `${LIB}/${runtime}`, 0o755);
  tree.set(`${LIB}/node_modules/.bin/node`, { link: `../node-linux-${process.arch}/bin/node` });
  // uiohook, which only a policy that names it would load here, stays out: it brings X libraries and the LGPL along.
  const native = `node_modules/@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`;
  copy(native, `${LIB}/${native}`);

  for (const [from, to] of Object.entries(UNIT_FOLDERS)) {
    for (const name of fs.readdirSync(path.join(root, from))) copy(`${from}/${name}`, `${to}/${name}`);
  }
  copy('src/package/policy.toml', 'etc/telemetryd/policy.toml');
  copy('docs/policy.schema.json', 'usr/share/telemetryd/policy.schema.json');

  for (const { name, text } of await manualPages(root, madeAt)) {
    if (COMMANDS.some((command) => name.startsWith(`${command}.`)))
      put(`usr/share/man/man${name.at(-1)}/${name}.gz`, gzipSync(text, { level: 9 }));
  }
  for (const [shell, place] of Object.entries(COMPLETIONS)) put(place, completion(root, shell));

  const components = componentsOf(root, sources);
  for (const name of ['README.md', 'docs/policy.md', 'docs/SEGMENT.md'])
    copy(name, `${DOC}/${path.basename(name)}`);
  put(`${DOC}/copyright`, licenceText(root, components));
  put(`${DOC}/sbom.cdx.json`, billOfMaterials(version, components, madeAt));
  return { tree: new Map([...tree].sort(([a], [b]) => (a < b ? -1 : 1))), components, version };
}

/** Folder in the repository, folder on the machine. */
const UNIT_FOLDERS = {
  'systemd/system': 'usr/lib/systemd/system',
  'systemd/user': 'usr/lib/systemd/user',
  'systemd/sysusers.d': 'usr/lib/sysusers.d',
  'systemd/tmpfiles.d': 'usr/lib/tmpfiles.d',
  'systemd/polkit': 'usr/share/polkit-1/rules.d',
};

const COMPLETIONS = {
  bash: 'usr/share/bash-completion/completions/telemetryctl',
  zsh: 'usr/share/zsh/site-functions/_telemetryctl',
  fish: 'usr/share/fish/vendor_completions.d/telemetryctl.fish',
};

/**
 * @param {string} root
 * @param {string} shell
 */
function completion(root, shell) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(root, 'dist/telemetryctl.js'), 'completion', shell],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`no completion for ${shell}: ${stderr}`);
  return stdout;
}

/**
 * What its files take, in bytes.
 *
 * @param {Tree} tree
 */
export function sizeOf(tree) {
  return [...tree.values()].reduce((sum, entry) => sum + ('content' in entry ? entry.content.length : 0), 0);
}

/**
 * Writes a tree below a folder, which must not exist, all files with one time.
 *
 * @param {Tree} tree
 * @param {string} folder
 * @param {Date} madeAt
 */
export function writeTree(tree, folder, madeAt) {
  fs.mkdirSync(folder, { recursive: true });
  for (const [name, entry] of tree) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    if ('link' in entry) {
      fs.symlinkSync(entry.link, file);
      fs.lutimesSync(file, madeAt, madeAt);
    } else {
      fs.writeFileSync(file, entry.content);
      fs.chmodSync(file, entry.mode);
      fs.utimesSync(file, madeAt, madeAt);
    }
  }
}
