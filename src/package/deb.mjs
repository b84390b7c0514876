// @ts-check
import fs from 'node:fs';
import path from 'node:path';
import { run } from './run.mjs';
import { scriptText } from './scripts.mjs';
import { CONFIGURATION_FILES, sizeOf, writeTree } from './tree.mjs';

const ARCHITECTURES = /** @type {Readonly<Record<string, string>>} */ ({ x64: 'amd64', arm64: 'arm64' });

/**
 * Builds the Debian package; gives its path. dpkg-deb sorts, takes no owner of ours and no time after
 * `SOURCE_DATE_EPOCH`, so that two builds give the same bytes (deb(5)).
 *
 * @param {import('./main.mjs').Made} made
 */
export function buildDeb({ tree, version, madeAt, work, out, isFast }) {
  const folder = path.join(work, 'deb');
  writeTree(tree, folder, madeAt);
  const architecture = ARCHITECTURES[process.arch] ?? process.arch;
  const control = path.join(folder, 'DEBIAN');
  fs.mkdirSync(control);
  const write = (/** @type {string} */ name, /** @type {string} */ text, mode = 0o644) => {
    fs.writeFileSync(path.join(control, name), text);
    fs.chmodSync(path.join(control, name), mode);
  };
  write(
    'control',
    `Package: telemetryd
Version: ${version}
Architecture: ${architecture}
Maintainer: telemetryd
Installed-Size: ${Math.ceil(sizeOf(tree) / 1024)}
Section: admin
Priority: optional
Depends: libc6 (>= 2.28), libstdc++6 (>= 8), libgcc-s1 | libgcc1, systemd (>= 245)
Recommends: dbus, libpam-systemd
Suggests: age, polkitd, network-manager, upower
Description: recording of mouse and keyboard use, with consent
 Records how mouse and keyboard are used, after the person agreed and without
 what they type, into small compressed files, and sends them to a collector
 when power and network allow it. Nothing is recorded before that person runs
 telemetryctl consent grant.
`,
  );
  write('conffiles', CONFIGURATION_FILES.map((file) => `${file}\n`).join(''));
  const script = (/** @type {string} */ body) => `#!/bin/sh\nset -e\n${body}`;
  write(
    'postinst',
    script(`if [ "$1" = configure ]; then
if [ -z "$2" ]; then set -- first; else set -- upgrade; fi
${scriptText('installed')}fi\n`),
    0o755,
  );
  write('prerm', script(`if [ "$1" = remove ]; then\n${scriptText('removing')}fi\n`), 0o755);
  write(
    'postrm',
    script(`case "$1" in remove | purge)
${scriptText('removed')};; esac
if [ "$1" = purge ]; then
${scriptText('purged')}fi\n`),
    0o755,
  );
  const file = path.join(out, `telemetryd_${version}_${architecture}.deb`);
  const compression = isFast ? ['-Zgzip', '-z1'] : ['-Zxz', '-z6'];
  run('dpkg-deb', ['--root-owner-group', ...compression, '--build', folder, file], madeAt);
  return file;
}
