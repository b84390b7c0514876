import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startDisplay } from '../../src/demo/display-node.ts';
import { findProgram, type Program } from '../../src/demo/program-node.ts';
import { DEMO, isAlive, script, Watched } from './script.ts';

const PATH = process.env['PATH'] ?? '';
const canRun = ['Xvfb', 'xdotool', 'openbox', 'setpriv'].every(
  (name) => findProgram(name, PATH) !== undefined,
);

describe.runIf(canRun)('the display of the demonstration', { timeout: 30_000 }, () => {
  it('takes input from whoever has its cookie, and from nobody else', async () => {
    const folder = temporaryFolder();
    const programs: Program[] = [];
    const context = { folder, env: { PATH, HOME: folder }, logFd: 2, signal: new AbortController().signal };
    const display = await startDisplay(context, (program) => programs.push(program));
    onTestFinished(async () => {
      await Promise.all(programs.map((program) => program.stop(2000)));
    });

    expect(programs.map((program) => program.name)).toEqual(['Xvfb', 'openbox']);
    expect(statSync(display.XAUTHORITY).mode & 0o777).toBe(0o600);
    expect(location(display)).toMatchObject({ status: 0 });
    expect(location({ ...display, XAUTHORITY: '/dev/null' }).status).not.toBe(0);
  });

  it('goes when we are killed', async () => {
    const folder = temporaryFolder();
    const parent = new Watched(
      process.execPath,
      script(`
      import { startDisplay } from '${DEMO}/display-node.ts';
      const context = { folder: '${folder}', env: { PATH: process.env.PATH, HOME: '${folder}' }, logFd: 2,
        signal: new AbortController().signal };
      const { DISPLAY } = await startDisplay(context, () => {});
      console.log('display', DISPLAY);`),
    );
    await parent.says(/display :\d+/);
    const pid = serverWithCookieIn(folder);
    expect(isAlive(pid)).toBe(true);
    parent.child.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false);
  });

  it('cannot be without Xvfb, and says what to do', async () => {
    const context = {
      folder: '/',
      env: { PATH: '/nonexistent' },
      logFd: 2,
      signal: new AbortController().signal,
    };
    await expect(startDisplay(context, () => undefined)).rejects.toMatchObject({
      message: 'There is no display, and Xvfb is not installed.',
      hint: 'npm start, which installs it where it may',
    });
  });
});

/** With `-displayfd` Xvfb makes no lock file that would name its process. */
function serverWithCookieIn(folder: string): number {
  const isServer = (pid: string): boolean => {
    const file = `/proc/${pid}/cmdline`;
    const words = existsSync(file) ? readFileSync(file, 'utf8').split('\0') : [];
    return words[0]?.endsWith('Xvfb') === true && words.some((word) => word.startsWith(folder));
  };
  return Number(readdirSync('/proc').find((name) => /^\d+$/.test(name) && isServer(name)));
}

function location(display: Readonly<Record<string, string>>): { status: number | null } {
  return spawnSync('xdotool', ['mousemove', '30', '40', 'getmouselocation'], { env: { PATH, ...display } });
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'telemetryd-display-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
