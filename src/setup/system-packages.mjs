// @ts-check
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/** Debian's package for each X library that the native hook links; newer releases provide `libxt6` as `libxt6t64`. */
const LIBRARY_PACKAGES = {
  'libX11.so.6': 'libx11-6',
  'libXrandr.so.2': 'libxrandr2',
  'libXtst.so.6': 'libxtst6',
  'libXt.so.6': 'libxt6',
};

/** A display of its own for a machine without one, with a window manager and a way to send it input. */
const DISPLAY_PROGRAMS = { Xvfb: 'xvfb', openbox: 'openbox', xdotool: 'xdotool' };

/** Programs that only tests call. */
const TEST_PROGRAMS = {
  // Whose connections there are.
  ss: 'iproute2',
  // Opens what we encrypt.
  age: 'age',
  // A real screen locker, and X clients.
  i3lock: 'i3lock',
  xev: 'x11-utils',
  // Change a display.
  xrandr: 'x11-xserver-utils',
  setxkbmap: 'x11-xkb-utils',
  // A message bus, and UPower on it.
  'dbus-daemon': 'dbus',
  upowerd: 'upower',
  'umockdev-wrapper': 'umockdev',
  // Shows pages as people see them.
  chromium: 'chromium',
  // A machine that boots beside this one, and packages to install there.
  'systemd-nspawn': 'systemd-container',
  rpmbuild: 'rpm',
  // An object store: the smallest Ceph cluster with its S3 gateway.
  radosgw: 'radosgw',
  'ceph-mon': 'ceph-mon',
  'ceph-osd': 'ceph-osd',
};

/** The dynamic loader lists a file's libraries itself; `ldd` is a script around it that takes ten times as long. */
const LOADERS = { x64: '/lib64/ld-linux-x86-64.so.2', arm64: '/lib/ld-linux-aarch64.so.1' };

/**
 * Debian packages that this machine lacks. `needed` are those without which `purpose` cannot work at all.
 *
 * @param {string} root
 * @param {'start' | 'test'} purpose
 * @returns {{ needed: string[], missing: string[] }}
 */
export function missingSystemPackages(root, purpose) {
  if (process.platform !== 'linux') return { needed: [], missing: [] };
  const libraries = missingLibraryPackages(root);
  const hasDisplay = Boolean(process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY']);
  if (purpose === 'start' && (hasDisplay || findInPath('Xvfb')))
    return { needed: libraries, missing: libraries };

  const programs = { ...DISPLAY_PROGRAMS, ...(purpose === 'test' ? TEST_PROGRAMS : {}) };
  const absent = Object.entries(programs).flatMap(([program, name]) => (findInPath(program) ? [] : [name]));
  const modules =
    purpose === 'test'
      ? [...missingPythonModules(), ...missingTypelibs(), ...missingPamModules(), ...missingDatabase()]
      : [];
  const missing = [...libraries, ...absent, ...modules];
  return { needed: purpose === 'test' ? [] : [...libraries, 'xvfb'], missing };
}

/**
 * Installs Debian packages where that needs no question; `undefined` when it worked, else why not.
 *
 * @param {readonly string[]} packages
 * @returns {string | undefined}
 */
export function installSystemPackages(packages) {
  if (!findInPath('apt-get')) return 'this machine has no apt-get';
  const prefix = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  if (prefix.length > 0 && !canSudo()) return 'it needs root, and sudo asks for a password';
  const apt = (/** @type {string[]} */ ...args) =>
    run([...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C', ...args]);
  const install = (/** @type {readonly string[]} */ names = packages) =>
    apt('apt-get', ...APT_OPTIONS, 'install', '-y', '--no-install-recommends', ...names);

  let ran = install();
  if (ran.status === 0) return undefined;
  // A new machine has no package lists, an old one stale ones; an interrupted installation must be finished first.
  if (ran.output.includes('dpkg --configure -a')) apt('dpkg', '--configure', '-a');
  else apt('apt-get', ...APT_OPTIONS, 'update');
  ran = install();
  if (ran.status === 0) return undefined;
  // One that this release does not have (Chromium, in some) must not keep the others away.
  const { output } = ran;
  const had = packages.filter((name) => !new RegExp(`ackage '?${name}'?(\\s|$)`, 'm').test(output));
  if (had.length > 0 && had.length < packages.length) install(had);
  return output;
}

/**
 * What to type where we may not install.
 *
 * @param {readonly string[]} packages
 */
export function installCommand(packages) {
  return `sudo apt-get update && sudo apt-get install --no-install-recommends ${packages.join(' ')}`;
}

/** Waits for another apt to finish instead of failing, and does not hang on a network that swallows packets. */
const APT_OPTIONS = [
  '-q',
  '-o',
  'DPkg::Lock::Timeout=120',
  '-o',
  'Acquire::http::Timeout=20',
  '-o',
  'Acquire::Retries=1',
];

/**
 * Packages with the X libraries that the native hook does not find.
 *
 * @param {string} root
 * @returns {string[]}
 */
function missingLibraryPackages(root) {
  const hook = path.join(root, `node_modules/uiohook-napi/prebuilds/linux-${process.arch}/uiohook-napi.node`);
  const loader = process.arch === 'x64' || process.arch === 'arm64' ? LOADERS[process.arch] : '';
  if (!fs.existsSync(hook) || !fs.existsSync(loader)) return [];
  const listed = spawnSync(loader, ['--list', hook], { encoding: 'utf8' }).stdout;
  const lost = [...listed.matchAll(/^\s*(\S+) => not found/gm)].map((match) => match[1] ?? '');
  // Whatever else is lost is a dependency of these.
  return lost.some((library) => !(library in LIBRARY_PACKAGES))
    ? Object.values(LIBRARY_PACKAGES)
    : Object.entries(LIBRARY_PACKAGES).flatMap(([library, name]) => (lost.includes(library) ? [name] : []));
}

/**
 * The second reader of segment files is Python's. Debian's folder is looked at first because Python takes long to start.
 *
 * @returns {string[]}
 */
function missingPythonModules() {
  const modules = {
    'python3-msgpack': 'msgpack',
    'python3-brotli': 'brotli',
    'python3-dbusmock': 'dbusmock',
  };
  const lost = Object.entries(modules).filter(
    ([, name]) => !['', '.py'].some((end) => fs.existsSync(`/usr/lib/python3/dist-packages/${name}${end}`)),
  );
  if (lost.length === 0) return [];
  const imports = `import ${lost.map(([, name]) => name).join(', ')}`;
  return spawnSync('python3', ['-c', imports]).status === 0 ? [] : lost.map(([debianName]) => debianName);
}

/**
 * Python drives umockdev through its description of the library, which lies in a folder for the architecture.
 *
 * @returns {string[]}
 */
function missingTypelibs() {
  const libraries = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  const file = `/usr/lib/${libraries}/girepository-1.0/UMockdev-1.0.typelib`;
  return fs.existsSync(file) ? [] : ['gir1.2-umockdev-1.0'];
}

/**
 * logind learns of sessions from PAM, and only systemd's own module tells it.
 *
 * @returns {string[]}
 */
function missingPamModules() {
  return fs.existsSync('/usr/share/pam-configs/systemd') ? [] : ['libpam-systemd'];
}

/**
 * PostgreSQL's programs lie in a folder for each version, which is in no path.
 *
 * @returns {string[]}
 */
function missingDatabase() {
  return fs.existsSync('/usr/lib/postgresql') ? [] : ['postgresql'];
}

/** @param {string} program */
function findInPath(program) {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  // A person's path often lacks the folders where some of these programs lie.
  return [...folders, '/usr/sbin', '/sbin', '/usr/libexec'].some((folder) =>
    fs.existsSync(path.join(folder, program)),
  );
}

function canSudo() {
  return findInPath('sudo') && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0;
}

/** @param {readonly string[]} command */
function run([program = '', ...args]) {
  const ran = spawnSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return { status: ran.status, output: ran.error?.message ?? `${ran.stdout}${ran.stderr}`.trim() };
}
