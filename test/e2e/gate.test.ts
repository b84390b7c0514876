import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Desk, until } from './desk.ts';

/** A laptop as the kernel shows it, in a folder that `TELEMETRYD_SYSFS_ROOT` names. */
class Laptop {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
    this.#supply('AC', { type: 'Mains', online: '0' });
    this.#supply('BAT0', { type: 'Battery', status: 'Discharging', present: '1', scope: 'System' });
    this.#write('class/net/lo', { type: '772', operstate: 'unknown' });
    this.#write('class/net/eth0', { type: '1', operstate: 'down' });
    this.#write('class/net/wlan0', { type: '1', operstate: 'down' });
    mkdirSync(path.join(root, 'class/net/wlan0/phy80211'), { recursive: true });
  }

  plug(isOnline: boolean): void {
    this.#supply('AC', { type: 'Mains', online: isOnline ? '1' : '0' });
    this.#supply('BAT0', { status: isOnline ? 'Charging' : 'Discharging' });
  }

  network(kind: 'eth0' | 'wlan0'): void {
    for (const name of ['eth0', 'wlan0'])
      this.#write(`class/net/${name}`, { operstate: name === kind ? 'up' : 'down' });
  }

  #supply(name: string, attributes: Record<string, string>): void {
    this.#write(`class/power_supply/${name}`, attributes);
  }

  #write(folder: string, attributes: Record<string, string>): void {
    mkdirSync(path.join(this.root, folder), { recursive: true });
    for (const [name, value] of Object.entries(attributes)) {
      writeFileSync(path.join(this.root, folder, name), `${value}\n`);
    }
  }
}

describe('a laptop that is plugged in and moves between networks', () => {
  const desk = new Desk();
  const laptop = new Laptop(path.join(desk.root, 'sys'));

  beforeAll(async () => {
    desk.extraEnv = { TELEMETRYD_SYSFS_ROOT: laptop.root };
    await desk.startRecording({
      capture: { focus_unknown: '"record"', mouse_hz: '1000' },
      segment: { roll: '"2s"', flush: '"1s"' },
      // A slow line, so that there is time to pull the plug while a transfer runs.
      upload: {
        hold_back: '"0s"',
        networks: '["wifi"]',
        rate: '"2KB/s"',
        schedule: '"* * * * *"',
      },
    });
  });

  afterAll(async () => {
    await desk.close();
  });

  const codes = async (): Promise<string[]> =>
    (await desk.status()).upload.blockers.map((blocker) => blocker.code);

  it('sends nothing on battery, nothing on Ethernet, then everything on AC with Wi-Fi, and says why', async () => {
    laptop.network('eth0');
    const anywhere = (size: number): number => Math.floor(Math.random() * size);
    await desk.display.input(
      ...Array.from({ length: 4000 }, () => `mousemove ${anywhere(1280)} ${anywhere(800)} sleep 0.001`),
    );
    await sleep(3000);
    expect((await desk.status()).daemon.simulated).toBe(true);

    await desk.ok('upload', 'now', '--json').catch(() => undefined);
    await sleep(1500);
    expect(await codes()).toEqual(expect.arrayContaining(['on-battery', 'not-wifi']));
    const why = await desk.ok('why');
    expect(why).toMatch(/battery/i);
    expect(why).toMatch(/Wi-Fi/);
    expect(desk.storedFiles()).toEqual([]);

    laptop.plug(true);
    await until('AC to be seen', async () => !(await codes()).includes('on-battery'));
    await desk.ctl('upload', 'now', '--json');
    await sleep(1500);
    expect(await codes()).toEqual(['not-wifi']);
    expect(desk.storedFiles()).toEqual([]);

    laptop.network('wlan0');
    await desk.waitFor('a transfer to begin', ({ upload }) => upload.isSending);
    await sleep(700);
    laptop.plug(false);
    const closedAt = performance.now();
    await desk.waitFor('the transfer to be aborted', ({ upload }) => !upload.isSending, 5000);
    expect(performance.now() - closedAt).toBeLessThan(2500);
    expect(await codes()).toContain('on-battery');
    const storedAtAbort = desk.storedFiles().length;
    const waiting = (await desk.status()).upload.queued.segments;
    expect(waiting).toBeGreaterThan(0);
    await sleep(1500);
    expect(desk.storedFiles()).toHaveLength(storedAtAbort);

    laptop.plug(true);
    await desk.waitFor(
      'everything to be sent',
      ({ upload }) => upload.queued.segments === 0 && !upload.isSending,
      90_000,
    );
    await desk.sendAll();
    const moves = (await desk.stored()).filter((event) => event.kind === 'move');
    const recorded = (await desk.status()).capture.events.recorded;
    expect(moves).toHaveLength(recorded);
    expect(recorded).toBeGreaterThan(1000);
  });
});
