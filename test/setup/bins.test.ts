import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NODE_FLAGS, SAFE_FLAGS } from '../../src/core/node-flags.ts';
import { Checkout, REPO } from './checkout.ts';

const BINS = ['telemetryd', 'telemetryctl', 'telemetry-uploader', 'telemetry-collector'];
/** Those that stay, or that the daemon would start itself. */
const SMALL = ['telemetryd', 'telemetry-uploader'];

describe.each(BINS)('bin/%s', { timeout: 30_000 }, (name) => {
  it('is executable, and ten lines or fewer', () => {
    const file = join(REPO, 'bin', name);
    expect(statSync(file).mode & 0o111).toBe(0o111);
    expect(readFileSync(file, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(10);
  });

  it('runs on the Node of the packages, whatever Node the machine has, with the inspector signal off', async () => {
    const checkout = built(name, 'old node');
    mkdirSync(join(checkout.root, 'node_modules/.bin'), { recursive: true });
    symlinkSync(process.execPath, join(checkout.root, 'node_modules/.bin/node'));
    const ran = await checkout.run(join(checkout.root, 'bin', name), ['a b', '--flag']);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const { args, flags } = JSON.parse(ran.stdout) as { args: string[]; flags: string[] };
    expect(args).toEqual(['a b', '--flag']);
    expect(flags).toContain('--disable-sigusr1');
    expect(flags).toEqual(SMALL.includes(name) ? NODE_FLAGS : SAFE_FLAGS);
  });

  it('runs on the Node in the path, and through a link to it', async () => {
    const checkout = built(name);
    const link = join(checkout.commands, name);
    symlinkSync(join(checkout.root, 'bin', name), link);
    const ran = await checkout.run(link, []);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(checkout.calls()).toEqual([]);
  });

  it('says in one line that the Node in the path is too old, and what to do', async () => {
    const checkout = built(name, 'old node');
    const ran = await checkout.run(join(checkout.root, 'bin', name), []);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(/^\S+: needs Node 24 or later\. Try: .*\n$/);
  });

  it('says in one line that it is not built, and what to do', async () => {
    const checkout = new Checkout();
    const ran = await checkout.run(join(checkout.root, 'bin', name), []);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(/^\S+: not built\. Try: .*\n$/);
  });
});

/** A checkout with one bundle, which prints how it was called. */
function built(name: string, node: 'this node' | 'old node' = 'this node'): Checkout {
  const checkout = new Checkout(node === 'this node' ? process.execPath : '');
  if (node === 'old node') checkout.command('node', 'echo v20.20.2');
  mkdirSync(join(checkout.root, 'dist'));
  const print = 'console.log(JSON.stringify({ args: process.argv.slice(2), flags: process.execArgv }));';
  writeFileSync(join(checkout.root, 'dist', `${name}.js`), print);
  return checkout;
}
