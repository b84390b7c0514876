import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Desk, until } from './desk.ts';

describe('a display that comes and goes', () => {
  const desk = new Desk();

  beforeAll(async () => {
    await desk.startDisplay();
    await desk.display.stop();
    desk.writePolicy({ upload: { url: '""' } });
    await desk.startDaemon();
  });

  afterAll(async () => {
    await desk.close();
  });

  it('is waited for when the daemon starts first', async () => {
    await desk.ok('consent', 'grant', '--yes');
    const status = await desk.waitFor('capture to fail', ({ capture }) => capture.restarts > 0);
    expect(status.collection.state).toBe('blocked');
    expect(status.collection.reasons[0]?.code).toBe('no-display');
    expect(status.collection.reasons[0]?.hint).not.toBe('');
    await desk.display.start();
    await desk.waitFor('capture to begin', ({ collection }) => collection.state === 'capturing', 35_000);
  });

  it('takes capture with it when it dies, and brings it back, while the daemon stays', async () => {
    const { pid } = (await desk.status()).daemon;
    await sleep(300);
    await desk.display.input('key F1');
    await sleep(500);
    await desk.display.stop('SIGKILL');
    const blocked = await desk.waitFor('capture to stop', ({ collection }) => collection.state === 'blocked');
    expect(blocked.collection.reasons[0]?.text).toMatch(/display|X server/i);
    await desk.display.start();
    const back = await desk.waitFor(
      'capture to go on',
      ({ collection }) => collection.state === 'capturing',
      35_000,
    );
    expect(back.daemon.pid).toBe(pid);
    await sleep(300);
    await desk.display.input('key F3');
    await until('what was typed on the new display', async () =>
      (await desk.everything()).some((event) => event.key === 'F3'),
    );
  });
});
