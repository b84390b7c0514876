// @ts-check
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { declarationsOf } from './declarations.mjs';

/**
 * Every program and the file it starts from. The bundles lie side by side in `dist/`, so that any of them finds
 * another one by `new URL('./capture-child.js', import.meta.url)`.
 *
 * @type {Readonly<Record<string, string>>}
 */
export const PROGRAMS = {
  telemetryd: 'src/daemon/entry.ts',
  telemetryctl: 'src/cli/entry.ts',
  'telemetry-collector': 'src/collector/entry.ts',
  'capture-child': 'src/capture/child/entry.ts',
  'telemetry-uploader': 'src/upload/entry.ts',
  'policy-loader': 'src/policy/loader/entry.ts',
  'segment-sealer': 'src/spool/sealer/entry.ts',
  'reason-opener': 'src/privacy/reason-opener/entry.ts',
  'dataset-writer': 'src/dataset/entry.ts',
  start: 'src/demo/entry.ts',
  // Not a program but the library `telemetryd/segment` (see `exports` in package.json).
  segment: 'src/segment/entry.ts',
};

/** Manual pages, made by a program that is run once and not kept. */
const MANUAL = { folder: 'man', entry: 'src/manual/entry.ts' };

/** Types of the library, laid out as in `src/`. */
const TYPES = { folder: 'types', of: 'segment' };

/**
 * Not bundled: `uiohook-napi` and `koffi` find their native part beside themselves; `fastify`, `pg` and
 * `@aws-sdk/client-s3` load files by name, and only the collector needs them. `msgpackr-extract` is a native speed-up that is not needed, so nothing may load it.
 */
const EXTERNAL = ['uiohook-napi', 'koffi', 'fastify', 'pg', '@aws-sdk/client-s3', 'msgpackr-extract'];

const STAMP = '.stamp';

/** CommonJS packages call `require`, which an ES module does not have. */
const REQUIRE_BANNER =
  "import { createRequire as createRequireHere } from 'node:module'; const require = createRequireHere(import.meta.url);\n";

/**
 * Whether `dist/` is what building the sources would give. Reads every source file (some 10 ms for 200 files): their
 * times say nothing after a checkout.
 *
 * @param {string} root
 * @returns {boolean}
 */
export function isDistCurrent(root) {
  const dist = path.join(root, 'dist');
  if (readIfThere(path.join(dist, STAMP)) !== fingerprint(root)) return false;
  const files = presentPrograms(root).flatMap((name) =>
    name === TYPES.of ? [`${name}.js`, TYPES.folder] : [`${name}.js`],
  );
  return files.every((name) => fs.existsSync(path.join(dist, name)));
}

/**
 * Programs whose first file does not exist.
 *
 * @param {string} root
 * @returns {string[]}
 */
export function missingPrograms(root) {
  return Object.keys(PROGRAMS).filter((name) => !presentPrograms(root).includes(name));
}

/**
 * Bundles all programs into `dist/`. Files are replaced one by one, chunks before what imports them and the stamp last:
 * a program that starts meanwhile finds whole files, and an interrupted build is done again.
 *
 * @param {string} root
 * @returns {Promise<{ programs: number, sizeBytes: number }>}
 */
export async function buildDist(root) {
  const stamp = fingerprint(root);
  const names = presentPrograms(root);
  const { files } = await bundlePrograms(root, names);
  const dist = path.join(root, 'dist');
  fs.mkdirSync(dist, { recursive: true });
  fs.rmSync(path.join(dist, STAMP), { force: true });
  for (const { name, text } of files) replaceFile(path.join(dist, name), text);
  const kept = new Set(files.map(({ name }) => name));
  if (names.includes(TYPES.of)) {
    kept.add(TYPES.folder);
    await writeTypes(root, PROGRAMS[TYPES.of] ?? '', path.join(dist, TYPES.folder));
  }
  if (fs.existsSync(path.join(root, MANUAL.entry))) {
    kept.add(MANUAL.folder);
    const folder = path.join(dist, MANUAL.folder);
    // https://reproducible-builds.org/specs/source-date-epoch
    const epoch = process.env['SOURCE_DATE_EPOCH'];
    const pages = await manualPages(root, epoch === undefined ? new Date() : new Date(Number(epoch) * 1000));
    fs.rmSync(folder, { recursive: true, force: true });
    fs.mkdirSync(folder);
    for (const { name, text } of pages) replaceFile(path.join(folder, name), text);
  }
  for (const name of fs.readdirSync(dist)) {
    if (!kept.has(name)) fs.rmSync(path.join(dist, name), { recursive: true, force: true });
  }
  replaceFile(path.join(dist, STAMP), stamp);
  return { programs: names.length, sizeBytes: files.reduce((sum, { text }) => sum + text.length, 0) };
}

/**
 * The bundles of these programs, chunks before what imports them, and the source files (from `root`) that are in them.
 *
 * @param {string} root
 * @param {readonly string[]} names
 * @returns {Promise<{ files: { name: string, text: string }[], sources: string[] }>}
 */
export async function bundlePrograms(root, names) {
  const { outputFiles, metafile } = await bundle(root, {
    entryPoints: Object.fromEntries(names.map((name) => [name, PROGRAMS[name] ?? ''])),
    splitting: true,
  });
  const isEntry = (/** @type {string} */ name) => names.includes(path.basename(name, '.js'));
  const files = outputFiles
    .map(({ path: file, text }) => ({ name: path.basename(file), text: withRequire(text) }))
    .toSorted((a, b) => Number(isEntry(a.name)) - Number(isEntry(b.name)));
  return { files, sources: Object.keys(metafile.inputs) };
}

/**
 * @param {string} root
 * @param {import('esbuild').BuildOptions} what
 * @returns {Promise<{ outputFiles: { path: string, text: string }[], metafile: import('esbuild').Metafile }>}
 */
async function bundle(root, what) {
  const { build } = await import(pathToFileURL(path.join(root, 'node_modules/esbuild/lib/main.js')).href);
  /** @type {import('esbuild').BuildOptions} */
  const options = {
    absWorkingDir: root,
    outdir: 'dist',
    chunkNames: 'chunk-[hash]',
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: EXTERNAL,
    // The entry that Node would take tries to load the native part; this one is the same code without it.
    alias: { msgpackr: path.join(root, 'node_modules/msgpackr/index.js') },
    // Names stay, for stack traces; lines are wrapped so that their numbers say something.
    minifySyntax: true,
    minifyWhitespace: true,
    lineLimit: 110,
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'error',
  };
  return build({ ...options, ...what });
}

/** @param {string} text */
function withRequire(text) {
  return /\brequire\b/.test(text) ? REQUIRE_BANNER + text : text;
}

/**
 * The manual pages, made in a process of the Node that the programs run on: that of a fresh machine may lack what they
 * import.
 *
 * @param {string} root
 * @param {Date} madeAt
 * @returns {Promise<{ name: string, text: string }[]>}
 */
export async function manualPages(root, madeAt) {
  const { outputFiles } = await bundle(root, { entryPoints: { manual: MANUAL.entry } });
  const program = path.join(root, `dist/manual.${process.pid}.mjs`);
  try {
    fs.mkdirSync(path.dirname(program), { recursive: true });
    fs.writeFileSync(program, REQUIRE_BANNER + (outputFiles[0]?.text ?? ''));
    return runManual(root, program, madeAt.toISOString().slice(0, 10));
  } finally {
    fs.rmSync(program, { force: true });
  }
}

/**
 * @param {string} root
 * @param {string} program
 * @param {string} date
 * @returns {{ name: string, text: string }[]}
 */
function runManual(root, program, date) {
  const own = path.join(root, 'node_modules/.bin/node');
  const script = `import { manualFiles } from ${JSON.stringify(pathToFileURL(program).href)};
    process.stdout.write(JSON.stringify(await manualFiles(${JSON.stringify(date)})));`;
  const node = fs.existsSync(own) ? own : process.execPath;
  const { status, stdout, stderr } = spawnSync(node, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the manual pages could not be made:\n${stderr}`);
  return JSON.parse(stdout);
}

/**
 * @param {string} root
 * @param {string} entry
 * @param {string} folder
 */
async function writeTypes(root, entry, folder) {
  const declarations = await declarationsOf(root, entry, folder);
  fs.rmSync(folder, { recursive: true, force: true });
  for (const { path: file, text } of declarations) {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    replaceFile(file, text);
  }
}

/** @param {string} root */
function presentPrograms(root) {
  return Object.keys(PROGRAMS).filter((name) => fs.existsSync(path.join(root, PROGRAMS[name] ?? '')));
}

/**
 * A hash of all that a build depends on: the sources, this file among them, and the versions of the packages.
 *
 * @param {string} root
 */
function fingerprint(root) {
  const hash = createHash('sha256');
  for (const file of ['package.json', 'package-lock.json', ...sourceFiles(path.join(root, 'src'), 'src')]) {
    hash
      .update(`${file}\0`)
      .update(fs.readFileSync(path.join(root, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

/**
 * @param {string} folder
 * @param {string} prefix
 * @returns {string[]}
 */
function sourceFiles(folder, prefix) {
  const entries = fs.readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const name = `${prefix}/${entry.name}`;
    if (entry.isDirectory()) return sourceFiles(path.join(folder, entry.name), name);
    return /\.(ts|mjs)$/.test(entry.name) ? [name] : [];
  });
}

/**
 * @param {string} file
 * @param {string} text
 */
function replaceFile(file, text) {
  const temporary = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(temporary, text);
  fs.renameSync(temporary, file);
}

/** @param {string} file */
function readIfThere(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined;
}
