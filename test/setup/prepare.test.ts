import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROGRAMS } from '../../src/setup/dist.mjs';
import { Checkout, type Ran } from './checkout.ts';

const NOBODY = 65534;
const HAS_DISPLAY = { DISPLAY: ':60' };
/** An installation as npm leaves it; what was there before is gone, as `npm ci` does it. */
const NPM_CI = `
  rm -rf "$CHECKOUT/node_modules" && mkdir "$CHECKOUT/node_modules"
  ln -s "$REPO"/node_modules/* "$REPO/node_modules/.bin" "$CHECKOUT/node_modules"
  cp "$REPO/node_modules/.package-lock.json" "$CHECKOUT/node_modules"`;

it('has brought the Node that these tests run on', () => {
  expect(Number.parseInt(process.versions.node, 10)).toBeGreaterThanOrEqual(24);
});

describe('prepare', { timeout: 30_000 }, () => {
  it('does, says and starts nothing when all is there', async () => {
    const checkout = machine().withPackages();
    await prepare(checkout, 'start', HAS_DISPLAY);
    const second = await prepare(checkout, 'start', HAS_DISPLAY);
    expect(second).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(checkout.calls()).toEqual([]);
  });

  it('installs the locked packages where there are none, and builds', async () => {
    const checkout = machine().command('npm', NPM_CI);
    const first = await prepare(checkout, 'start', HAS_DISPLAY);
    expect(first).toMatchObject({ code: 0, stdout: '' });
    expect(first.stderr).toMatch(/installing npm packages.*\n.*building\n$/);
    expect(checkout.calls()).toEqual([expect.stringMatching(/^npm ci .*--include=dev/)]);
    expect(await prepare(checkout, 'start', HAS_DISPLAY)).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('repairs an installation that was interrupted', async () => {
    const checkout = machine().command('npm', NPM_CI);
    mkdirSync(join(checkout.root, 'node_modules/fastify'), { recursive: true });
    expect(await prepare(checkout, 'start', HAS_DISPLAY)).toMatchObject({ code: 0 });
    expect(checkout.calls()).toHaveLength(1);
  });

  it('does not take a half emptied folder for whole when npm is interrupted', async () => {
    const checkout = machine().command('npm', 'kill -9 $$');
    mkdirSync(join(checkout.root, 'node_modules'));
    writeFileSync(join(checkout.root, 'node_modules/.package-lock.json'), '{"packages":{}}');
    expect(await prepare(checkout, 'start', HAS_DISPLAY)).toMatchObject({ code: 1 });
    checkout.command('npm', NPM_CI);
    expect(await prepare(checkout, 'start', HAS_DISPLAY)).toMatchObject({ code: 0 });
  });

  it('shows what npm said when it fails, and what to try', async () => {
    const checkout = machine().command('npm', 'echo ENOTFOUND registry >&2; exit 1');
    const ran = await prepare(checkout, 'start', HAS_DISPLAY);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/ENOTFOUND registry\nTry: .+\n$/);
  });

  it('installs Xvfb and a window manager where there is no display', async () => {
    const checkout = machine().withPackages().command('apt-get').command('sudo', 'shift; exec "$@"');
    expect(await prepare(checkout, 'start')).toMatchObject({ code: 0 });
    expect(aptCalls(checkout)).toEqual([
      expect.stringMatching(/ install -y --no-install-recommends xvfb openbox xdotool$/),
    ]);
  });

  it('installs nothing for a display where there is one', async () => {
    const checkout = machine().withPackages().command('apt-get').command('sudo', 'shift; exec "$@"');
    expect(await prepare(checkout, 'start', HAS_DISPLAY)).toMatchObject({ code: 0 });
    expect(checkout.calls()).toEqual([]);
  });

  it('updates the package lists once when a package is not found in them', async () => {
    const checkout = machine()
      .withPackages()
      .command(
        'apt-get',
        'case "$*" in *update*) touch "$CHECKOUT/lists";; *) [ -e "$CHECKOUT/lists" ];; esac',
      )
      .command('sudo', 'shift; exec "$@"');
    expect(await prepare(checkout, 'start')).toMatchObject({ code: 0 });
    expect(aptCalls(checkout).map((call) => /\b(install|update)\b/.exec(call)?.[0])).toEqual([
      'install',
      'update',
      'install',
    ]);
  });

  it('installs the others when a package is nowhere to be had', async () => {
    const script = 'case "$*" in *openbox*) echo "E: Unable to locate package openbox"; exit 100;; esac';
    const checkout = machine().withPackages().command('apt-get', script).command('sudo', 'shift; exec "$@"');
    const ran = await prepare(checkout, 'start');
    expect(ran.stderr).toContain('Unable to locate package openbox');
    expect(aptCalls(checkout).at(-1)).toMatch(/ install -y --no-install-recommends xvfb xdotool$/);
  });

  it('names the command to type where it may not install, and stops npm start', async () => {
    const checkout = machine().withPackages();
    const ran = await prepare(checkout, 'start');
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(
      'Try: sudo apt-get update && sudo apt-get install --no-install-recommends xvfb openbox xdotool\n',
    );
  });

  it('lets the tests go on without what it may not install', async () => {
    const checkout = machine().withPackages();
    const ran = await prepare(checkout, 'test');
    expect(ran.code).toBe(0);
    expect(ran.stderr).toMatch(
      /no apt-get\nThe tests that need them are skipped.\nTry: sudo apt-get .*xvfb.*iproute2/,
    );
  });

  it.runIf(process.getuid?.() === 0)('does not wait for a password', async () => {
    const checkout = machine().withPackages().command('apt-get').command('sudo', 'exit 1');
    const ran = await prepare(checkout, 'start', {}, NOBODY);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('sudo asks for a password');
    expect(aptCalls(checkout)).toEqual([]);
  });

  it('says what is missing from an incomplete checkout', async () => {
    const checkout = new Checkout().withPackages();
    const ran = await prepare(checkout, 'start', HAS_DISPLAY);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('no source for telemetryd');
  });
});

/** A machine with a whole checkout, `node` and little else. */
function machine(): Checkout {
  const checkout = new Checkout().withPrograms(PROGRAMS);
  for (const name of ['rm', 'mkdir', 'cp']) checkout.link(name, `/usr/bin/${name}`);
  return checkout;
}

function prepare(
  checkout: Checkout,
  what: 'start' | 'test',
  env: Readonly<Record<string, string>> = {},
  uid?: number,
): Promise<Ran> {
  return checkout.run(process.execPath, [join(checkout.root, 'src/setup/prepare.mjs'), what], env, uid);
}

function aptCalls(checkout: Checkout): string[] {
  return checkout.calls().filter((call) => call.startsWith('apt-get'));
}
