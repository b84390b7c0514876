import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildChild, isProcess, TestChild, temporaryFolder } from './child-bundle.ts';
import { CONFIG } from './child-config.ts';
import { hasX, Xvfb } from './xvfb.ts';

let bundle: Awaited<ReturnType<typeof buildChild>>;
let folder: string;
let child: TestChild;

beforeAll(async () => {
  bundle = await buildChild();
  folder = await temporaryFolder();
});
afterEach(async () => {
  await child.child.stop();
});
afterAll(async () => {
  await bundle.remove();
});

describe('a capture process that cannot start', { timeout: 20_000 }, () => {
  const reasonFor = async (env: Record<string, string>, config = CONFIG): Promise<string> => {
    child = new TestChild(bundle.entryFile, env);
    await child.start(config);
    const reason = await child.exit.promise;
    expect(reason.text).toMatch(/^\S.*\.$/);
    expect(child.events).toEqual([]);
    return reason.code;
  };

  test('says that DISPLAY is missing, leads nowhere, elsewhere, or is none', async () => {
    expect(await reasonFor({})).toBe('no-display');
    expect(await reasonFor({ DISPLAY: ':4999' })).toBe('no-display');
    expect(await reasonFor({ DISPLAY: 'screen' })).toBe('no-display');
    expect(await reasonFor({ DISPLAY: 'localhost:10.0' })).toBe('display-forwarded');
  });

  test('says that the policy or the session does not allow it', async () => {
    expect(
      await reasonFor({ WAYLAND_DISPLAY: 'w', DISPLAY: ':4999' }, { ...CONFIG, focusUnknown: 'block' }),
    ).toBe('focus-unknown');
    expect(await reasonFor({ DISPLAY: ':4999' }, { ...CONFIG, backend: 'x12' })).toBe('no-such-backend');
  });

  test.skipIf(existsSync('/dev/input'))('says that there is no device to read', async () => {
    expect(await reasonFor({}, { ...CONFIG, backend: 'evdev' })).toBe('no-device');
    // On Wayland X shows X programs only.
    expect(await reasonFor({ WAYLAND_DISPLAY: 'w', DISPLAY: ':4999' }, { ...CONFIG, backend: 'auto' })).toBe(
      'no-device',
    );
  });

  test('says that Node itself is not there', async () => {
    child = new TestChild(bundle.entryFile, {}, join(folder, 'no-node'));
    await child.start();
    expect(await child.exit.promise).toMatchObject({ code: 'not-startable' });
    expect(child.child.pid).toBe(null);
  });
});

describe('a capture program that misbehaves', { timeout: 20_000 }, () => {
  const reasonOf = async (program: string): Promise<string> => {
    const file = join(folder, `program-${Math.trunc(performance.now())}.mjs`);
    await writeFile(file, program);
    child = new TestChild(file, {});
    await child.start();
    return (await child.exit.promise).code;
  };

  test('is told by how it ended', async () => {
    expect(await reasonOf('process.abort()')).toBe('hook-crashed');
    expect(await reasonOf('process.kill(process.pid, "SIGKILL")')).toBe('killed');
    expect(await reasonOf('process.exit(7)')).toBe('child-exited');
    expect(await reasonOf('console.error("XIO:  fatal IO error 11 on X server"); process.exit(1)')).toBe(
      'display-gone',
    );
    expect(
      await reasonOf(
        'import fs from "node:fs"; fs.writeSync(3, Buffer.alloc(64, 255)); setInterval(() => 0, 99)',
      ),
    ).toBe('bad-message');
  });

  test('keeps no more than the end of what it printed, and nothing that drives a terminal', async () => {
    await reasonOf('console.error("x".repeat(9000) + "\\u001b[31mlast words\\u0007"); process.exitCode = 7');
    expect(child.child.stderrTail).toMatch(/x\?\[31mlast words\?$/);
    expect(child.child.stderrTail.length).toBeLessThanOrEqual(2048);
  });

  test('is killed when it does not go by itself', async () => {
    const file = join(folder, 'stubborn.mjs');
    await writeFile(file, 'process.on("SIGTERM", () => 0); setInterval(() => 0, 1000)');
    child = new TestChild(file, {});
    child.child.start(CONFIG);
    await sleep(300);
    const pid = child.child.pid ?? 0;
    const before = performance.now();
    await Promise.all([child.child.stop(), child.child.stop()]);
    expect(performance.now() - before).toBeLessThan(1000);
    expect(isProcess(pid)).toBe(false);
    expect(await child.exit.promise).toMatchObject({ code: 'stopped' });
  });

  test('sees no environment but what it is given', async () => {
    process.env['CAPTURE_TEST_SECRET'] = 'visible';
    await reasonOf('console.error(Object.keys(process.env).sort().join()); process.exit(1)');
    expect(child.child.stderrTail).toBe('HOME,PATH');
  });
});

describe('a display that is not ready', { timeout: 20_000 }, () => {
  test('a server that closes the door says why it refuses', async () => {
    const path = '/tmp/.X11-unix/X48';
    await mkdir('/tmp/.X11-unix', { recursive: true });
    await rm(path, { force: true });
    const server = createServer((socket) => {
      const text = Buffer.from('Authorization required\n\n');
      const head = Buffer.alloc(8);
      head[1] = text.length - 1;
      head.writeUInt16LE(text.length / 4, 6);
      socket.end(Buffer.concat([head, text]));
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    onTestFinished(() => void server.close());
    child = new TestChild(bundle.entryFile, { DISPLAY: ':48' });
    await child.start();
    expect(await child.exit.promise).toMatchObject({
      code: 'display-refused',
      text: expect.stringContaining('Authorization required') as string,
    });
  });

  test.skipIf(!hasX)('a cookie from XAUTHORITY opens a display that wants one', async () => {
    const cookie = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
    const authority = join(folder, 'authority');
    await writeFile(authority, authorityEntry('', cookie));
    const x = new Xvfb(['-auth', authority]);
    onTestFinished(() => x.stop());
    await x.start();
    child = new TestChild(bundle.entryFile, { DISPLAY: x.display });
    await child.start();
    expect(await child.exit.promise).toMatchObject({ code: 'display-refused' });
    child = new TestChild(bundle.entryFile, { DISPLAY: x.display, XAUTHORITY: authority });
    await child.start();
    expect(child.info?.backend).toBe('uiohook');
    await child.child.stop();
  });

  test.skipIf(!hasX)(
    'started before the display exists it fails cleanly, and works once it does',
    async () => {
      const x = new Xvfb();
      onTestFinished(() => x.stop());
      await x.start();
      await x.stop();
      child = new TestChild(bundle.entryFile, { DISPLAY: x.display });
      await child.start();
      expect(await child.exit.promise).toMatchObject({ code: 'no-display' });
      await x.start();
      child = new TestChild(bundle.entryFile, { DISPLAY: x.display });
      await child.start();
      expect(child.info?.backend).toBe('uiohook');
      const pid = child.child.pid ?? 0;
      process.kill(pid, 'SIGKILL');
      expect(await child.exit.promise).toMatchObject({ code: 'killed' });
    },
  );

  test.skipIf(!hasX)('when the daemon dies the child goes too', async () => {
    const x = new Xvfb();
    onTestFinished(() => x.stop());
    await x.start();
    const daemon = spawn(
      process.execPath,
      ['--input-type=module', '-e', DAEMON, bundle.entryFile, x.display],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    onTestFinished(() => void daemon.kill('SIGKILL'));
    const pid = await new Promise<number>((resolve) =>
      daemon.stdout.once('data', (text: Buffer) => resolve(Number(String(text)))),
    );
    await sleep(500);
    expect(isProcess(pid)).toBe(true);
    daemon.kill('SIGKILL');
    await sleep(500);
    expect(isProcess(pid)).toBe(false);
  });
});

/** Starts a child as the daemon does, says its process id, and lives on. */
const DAEMON = `
  import { spawn } from 'node:child_process';
  const [entry, DISPLAY] = process.argv.slice(1);
  const child = spawn(process.execPath, [entry], { env: { DISPLAY }, stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const json = Buffer.from(JSON.stringify({
    backend: 'uiohook', keys: 'shortcuts', mouseHz: 125, focusUnknown: 'record', replay: null,
  }));
  const head = Buffer.from([json.length, 0, 0, 0, 1]);
  child.stdio[3].write(Buffer.concat([head, json]));
  child.stdio[3].once('data', () => console.log(child.pid));
`;

/** An Xauthority entry of the wild family, which fits any host. */
function authorityEntry(display: string, cookie: Uint8Array): Buffer {
  const field = (bytes: Uint8Array): Buffer => Buffer.concat([Buffer.from([0, bytes.length]), bytes]);
  return Buffer.concat([
    Buffer.from([0xff, 0xff]),
    field(new Uint8Array(0)),
    field(Buffer.from(display)),
    field(Buffer.from('MIT-MAGIC-COOKIE-1')),
    field(cookie),
  ]);
}
