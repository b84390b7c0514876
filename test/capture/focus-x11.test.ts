import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { FocusX11 } from '../../src/capture/child/x11/focus-x11.ts';
import { delayNode } from '../../src/capture/delay-node.ts';
import type { Focus } from '../../src/core/focus.ts';
import { TestClient, whenManaged } from './test-window.ts';
import { hasX, Xvfb } from './xvfb.ts';

const canRun = hasX && ['openbox', 'i3lock'].every((tool) => existsSync(`/usr/bin/${tool}`));

/** Skipped only where Xvfb, openbox or i3lock is not installed. */
describe.skipIf(!canRun)('the window in use, on a real display', { timeout: 60_000 }, () => {
  const server = new Xvfb();
  let manager: ChildProcess | null = null;

  beforeAll(async () => {
    await server.start();
    await startManager();
  });
  afterAll(async () => {
    await stopProcess(manager);
    await server.stop();
  });

  async function startManager(): Promise<void> {
    manager = spawn('openbox', ['--sm-disable'], {
      env: { ...process.env, DISPLAY: server.display },
      stdio: 'ignore',
    });
    await whenManaged(server.display);
  }

  async function client(): Promise<TestClient> {
    const made = await TestClient.connect(server.display);
    onTestFinished(() => made.close());
    return made;
  }

  async function watch(): Promise<Watch> {
    const started = await Watch.start(server.display);
    onTestFinished(() => started.stop());
    return started;
  }

  /** A screen locker, on its way. */
  function lock(): ChildProcess {
    const locker = spawn('i3lock', ['--nofork'], { env: { ...process.env, DISPLAY: server.display } });
    onTestFinished(() => stopProcess(locker));
    return locker;
  }

  test('is told with its class, its program and its title, and no window is the desktop', async () => {
    const x = await client();
    const seen = await watch();
    expect(seen.last).toBe('desktop');
    const window = await x.window({ title: 'Notes – “ä”', wmClass: 'Mousepad' });
    await seen.until('Notes – “ä”');
    const focus = seen.foci.at(-1);
    expect(focus).toMatchObject({ pid: process.pid });
    expect(focus?.kind === 'window' && focus.facts.names).toEqual(
      expect.arrayContaining(['Mousepad', 'node']),
    );
    expect(await seen.focus.confirm()).toBe(true);
    await window.destroy();
    await seen.until('desktop');
  });

  test('is followed through its titles and from window to window', async () => {
    const x = await client();
    const first = await x.window({ title: 'first' });
    const seen = await watch();
    await seen.until('first');
    await first.setTitle('Shopping — Private Browsing');
    await seen.until('Shopping — Private Browsing');
    const second = await x.window({ title: 'second' });
    await seen.until('second');
    await second.destroy();
    await seen.until('Shopping — Private Browsing');
  });

  test('is a secret while a screen locker stands, from its start on', async () => {
    const x = await client();
    await x.window({ title: 'editor' });
    const seen = await watch();
    await seen.until('editor');
    const locker = lock();
    await seen.until('secret');
    await sleep(400);
    expect(seen.last).toBe('secret');
    // Whoever begins to watch only now was told of no grab.
    const late = await watch();
    expect(late.last).toBe('secret');
    await stopProcess(locker);
    await Promise.all([seen.until('editor'), late.until('editor')]);
  });

  test('is a secret while a prompt that no manager knows holds the keyboard', async () => {
    const x = await client();
    await x.window({ title: 'editor' });
    const seen = await watch();
    await seen.until('editor');
    const prompt = await x.window({ title: 'Passphrase:', isUnmanaged: true });
    await x.grabKeyboard(prompt.id);
    await seen.until('secret');
    expect(await seen.focus.confirm()).toBe(true);
    expect(seen.last).toBe('secret');
    await x.ungrabKeyboard();
    await prompt.destroy();
    await seen.until('editor');
  });

  test('is uncertain at once, then a secret, when the keyboard is with a window that is not the active one', async () => {
    const x = await client();
    await x.window({ title: 'editor' });
    const seen = await watch();
    await seen.until('editor');
    const prompt = await x.window({ title: 'Passphrase:', isUnmanaged: true });
    await prompt.takeFocus();
    expect(await seen.focus.confirm()).toBe(false);
    expect(seen.last).toBe('editor');
    await seen.until('secret');
    await prompt.destroy();
    await seen.until('editor', 'secret', 'desktop');
  });

  test('was a secret for a while when another window had the keyboard for a moment', async () => {
    const x = await client();
    const editor = await x.window({ title: 'editor' });
    const seen = await watch();
    await seen.until('editor');
    for (const forMs of [0, 150]) {
      seen.foci.length = 0;
      const prompt = await x.window({ title: 'Passphrase:', isUnmanaged: true });
      await prompt.takeFocus();
      if (forMs > 0) await sleep(forMs);
      await editor.takeFocus();
      await prompt.destroy();
      await seen.until('editor');
      expect(seen.foci.map(({ kind }) => kind)).toContain('secret');
    }
  });

  test('is a secret when it does not say what it is', async () => {
    const x = await client();
    const seen = await watch();
    const window = await x.window({ title: 'nameless', wmClass: null });
    await seen.until('secret');
    await window.setProperty('WM_CLASS', 'editor\0Editor\0');
    await seen.until('nameless');
  });

  test('is unknown without a window manager, where a locker is seen all the same', async () => {
    const x = await client();
    await x.window({ title: 'editor' });
    const seen = await watch();
    await seen.until('editor');
    await stopProcess(manager);
    await seen.until('unknown');
    expect(await seen.focus.confirm()).toBe(true);
    await x.grabKeyboard();
    await seen.until('secret');
    await x.ungrabKeyboard();
    await seen.until('unknown');
    await startManager();
    await seen.until('editor', 'desktop');
  });
});

/** All that a source of focus told, by title or kind. */
class Watch {
  readonly foci: Focus[] = [];
  readonly focus: FocusX11;

  constructor(display: string) {
    this.focus = new FocusX11({
      env: { DISPLAY: display },
      hostname: hostname(),
      uid: process.getuid?.() ?? 0,
      nowMonoMs: () => performance.now(),
      delay: delayNode,
    });
  }

  static async start(display: string): Promise<Watch> {
    const watch = new Watch(display);
    const host = {
      changed: (focus: Focus): void => void watch.foci.push(focus),
      fail: (): void => undefined,
    };
    await watch.focus.start(host, new AbortController().signal);
    return watch;
  }

  get last(): string {
    const focus = this.foci.at(-1);
    return focus?.kind === 'window' ? (focus.facts.titles[0] ?? '') : (focus?.kind ?? 'nothing');
  }

  async until(...names: readonly string[]): Promise<void> {
    const end = performance.now() + 10_000;
    while (!names.includes(this.last)) {
      if (performance.now() > end) throw new Error(`waited in vain for ${names.join()}, saw ${this.last}`);
      await sleep(10);
    }
  }

  stop(): void {
    this.focus.stop();
  }
}

async function stopProcess(child: ChildProcess | null): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill();
  await gone;
}
