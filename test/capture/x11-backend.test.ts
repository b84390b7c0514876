import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { BackendRun } from './backend-run.ts';
import { openInjector, type XInjector } from './x-injector.ts';
import { hasX, Xvfb } from './xvfb.ts';

const KEY = { a: 38, q: 24, altRight: 108 };

describe.skipIf(!hasX)('the x11 back end', { timeout: 60_000 }, () => {
  const server = new Xvfb();
  let hand: XInjector;

  beforeAll(async () => {
    await server.start();
    hand = await openInjector(server.display);
  });
  afterAll(async () => {
    hand.close();
    await server.stop();
  });

  const start = async (on = server): Promise<BackendRun> => {
    const run = await new BackendRun('x11', on.display).start();
    onTestFinished(() => run.kill());
    return run;
  };

  test('says what it is, why, and how large the screen is', async () => {
    const run = await start();
    expect(run.info).toEqual({
      backend: 'x11',
      coordinates: 'absolute',
      screens: [{ x: 0, y: 0, width: 1280, height: 800, scale: 1 }],
      why: 'it was asked for by name',
    });
  });

  test('sees the first event after silence at once, though no window wants any', async () => {
    const run = await start();
    for (let i = 1; i <= 3; i++) {
      await sleep(300);
      const seen = run.of(['move']).length;
      hand.move(10 * i, 20 * i);
      // Nothing but that one event could have the server send what RECORD holds: no request follows it.
      await run.until('move', seen + 1, 5000);
    }
  });

  test('rests between reads, and not at all in silence', async () => {
    const run = await start();
    run.order('burst 200');
    await sleep(200);
    const before = await wakeups(run.pid);
    const startedMs = performance.now();
    for (let i = 0; performance.now() - startedMs < 1600; i++) {
      hand.move(100 + (i % 500), 100);
      await sleep(2);
    }
    await hand.done();
    const busy = (await wakeups(run.pid)) - before;
    // Eight bursts and the pipe to this test; as many as events without rests.
    expect(busy).toBeLessThan(80);
    const count = run.of(['move']).length;
    expect(count).toBeGreaterThan(100);
    await sleep(700);
    const idleFrom = await wakeups(run.pid);
    await sleep(1000);
    expect((await wakeups(run.pid)) - idleFrom).toBeLessThanOrEqual(2);
  });

  test('hands over all that came before it is stopped', async () => {
    const run = await start();
    for (let i = 0; i < 500; i++) hand.move(i, i);
    hand.button(true, 1);
    hand.button(false, 1);
    await hand.done();
    await run.stop();
    expect(
      run
        .of(['move', 'button'])
        .slice(-3)
        .map(([what, , ...rest]) => [what, ...rest]),
    ).toEqual([
      ['move', 499, 499],
      ['button', true, 1, 499, 499],
      ['button', false, 1, 499, 499],
    ]);
    expect(run.of(['move'])).toHaveLength(500);
  });

  test('is alive while the server answers, and dead when it hangs', async () => {
    const mortal = new Xvfb();
    onTestFinished(() => mortal.stop('SIGKILL'));
    await mortal.start();
    const run = await start(mortal);
    run.order('probe');
    await run.until('alive');
    process.kill(mortal.pid ?? 0, 'SIGSTOP');
    run.order('probe');
    await run.until('dead');
    expect(run.of(['dead'])[0]?.[1]).toBe('The X server does not answer.');
    process.kill(mortal.pid ?? 0, 'SIGCONT');
    run.order('probe');
    await run.until('alive', 2);
    await mortal.stop('SIGKILL');
    await run.until('fail');
    expect(run.of(['fail'])[0]?.[1]).toMatchObject({ code: 'display-gone' });
  });

  test('a layout that is changed while keys are pressed is followed', async () => {
    const run = await start();
    onTestFinished(() => server.run('setxkbmap', 'us').then(() => undefined));
    const modsOfChord = async (): Promise<unknown> => {
      const seen = run.of(['key']).length;
      hand.key(true, KEY.altRight);
      hand.key(true, KEY.q);
      hand.key(false, KEY.q);
      hand.key(false, KEY.altRight);
      await hand.done();
      await run.until('key', seen + 4);
      return run.of(['key'], 0)[seen + 1]?.[5];
    };
    const alt = 4;
    expect(await modsOfChord()).toBe(alt);
    await server.run('setxkbmap', 'de');
    expect(await modsOfChord()).toBe(0);
    await server.run('setxkbmap', 'us');
    for (let i = 0; i < 100 && (await modsOfChord()) !== alt; i++) await sleep(50);
    expect(await modsOfChord()).toBe(alt);
  });
});

/** Voluntary context switches of all threads: how often the process woke. */
async function wakeups(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]);
}
