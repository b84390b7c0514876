// @ts-check
import fs from 'node:fs';
import path from 'node:path';
import { run } from './run.mjs';
import { scriptText } from './scripts.mjs';
import { CONFIGURATION_FILES, writeTree } from './tree.mjs';

const ARCHITECTURES = /** @type {Readonly<Record<string, string>>} */ ({ x64: 'x86_64', arm64: 'aarch64' });

/**
 * Builds the RPM package; gives its path. Times and the building host's name are given, so that two builds give the same
 * bytes.
 *
 * @param {import('./main.mjs').Made} made
 */
export function buildRpm({ tree, version, madeAt, work, out, isFast }) {
  const files = path.join(work, 'rpm-files');
  const top = path.join(work, 'rpm');
  writeTree(tree, files, madeAt);
  fs.mkdirSync(top);
  const spec = path.join(top, 'telemetryd.spec');
  fs.writeFileSync(spec, specText(tree, version));
  const architecture = ARCHITECTURES[process.arch] ?? process.arch;
  const defines = {
    _topdir: top,
    _rpmdir: top,
    _binary_payload: isFast ? 'w1.gzdio' : 'w9.xzdio',
    _buildhost: 'telemetryd',
    _prepared: files,
    use_source_date_epoch_as_buildtime: '1',
    clamp_mtime_to_source_date_epoch: '1',
    _build_id_links: 'none',
    debug_package: '%{nil}',
    // The files are ready: nothing is to strip, compress or byte-compile them.
    __os_install_post: '%{nil}',
  };
  const flags = Object.entries(defines).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
  run('rpmbuild', ['-bb', '--nodeps', '--target', architecture, ...flags, spec], madeAt);
  const name = `telemetryd-${version}-1.${architecture}.rpm`;
  const file = path.join(out, name);
  fs.copyFileSync(path.join(top, architecture, name), file);
  return file;
}

/**
 * @param {import('./tree.mjs').Tree} tree
 * @param {string} version
 */
function specText(tree, version) {
  const owned = [...tree.keys()].map((name) => {
    const file = `/${name}`;
    if (CONFIGURATION_FILES.includes(file)) return `%config(noreplace) ${file}`;
    return file.startsWith('/usr/share/doc/') ? `%doc ${file}` : file;
  });
  return `Name: telemetryd
Version: ${version}
Release: 1
Summary: Recording of mouse and keyboard use, with consent
License: Apache-2.0 AND MIT AND BSD-3-Clause AND ISC
AutoReqProv: no
Requires: glibc >= 2.28
Requires: libstdc++
Requires: systemd >= 245
%description
Records how mouse and keyboard are used, after the person agreed and without
what they type, into small compressed files, and sends them to a collector
when power and network allow it. Nothing is recorded before that person runs
telemetryctl consent grant.
%install
cp -a %{_prepared}/. %{buildroot}/
%post
if [ "$1" -gt 1 ]; then set -- upgrade; else set -- first; fi
${scriptText('installed')}%preun
if [ "$1" = 0 ]; then
${scriptText('removing')}fi
%postun
if [ "$1" = 0 ]; then
${scriptText('removed')}fi
%files
%defattr(-,root,root,-)
%dir /usr/lib/telemetryd
%dir /etc/telemetryd
${owned.join('\n')}
`;
}
