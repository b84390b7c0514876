import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Desk, Program } from './desk.ts';

const KILLS = 20;
/** Collection runs on while the uploader and the collector die, so that there is a stretch to lose something of. */
const VICTIMS = ['uploader', 'collector', 'daemon', 'collector', 'uploader', 'child'] as const;
/** `flush` of the test's policy, one batch of the child, and what the server's own buffering may add. */
const MAY_BE_LOST_MS = 1000 + 1000 + 700;

interface Injected {
  readonly x: number;
  readonly y: number;
  readonly atMs: number;
}

describe('kill -9', () => {
  const desk = new Desk();

  beforeAll(async () => {
    await desk.startRecording({
      capture: { focus_unknown: '"record"', mouse_hz: '1000' },
      segment: { roll: '"3s"', flush: '"1s"' },
    });
  });

  afterAll(async () => {
    await desk.close();
  });

  it('of each process at random moments loses at most a flush and a batch, and doubles nothing', async () => {
    const injected: Injected[] = [];
    const windows: { fromMs: number; toMs: number }[] = [];
    let nextPosition = 0;
    const mover = { isRunning: true };
    const moving = (async () => {
      while (mover.isRunning) {
        const n = nextPosition++;
        const position = { x: n % 1280, y: 10 + Math.floor(n / 1280) };
        await desk.display.input(`mousemove ${position.x} ${position.y}`);
        injected.push({ ...position, atMs: Date.now() });
        await sleep(15);
      }
    })();

    const capturing = async (): Promise<number> => {
      await desk.waitFor('capture', ({ collection }) => collection.state === 'capturing', 35_000);
      return Date.now() + 400;
    };
    let fromMs = await capturing();
    for (let kill = 0; kill < KILLS; kill++) {
      const victim = VICTIMS[kill % VICTIMS.length];
      await sleep(300 + Math.random() * 2500);
      if (victim === 'uploader' || victim === 'collector') await desk.ctl('upload', 'now');
      switch (victim) {
        case 'daemon':
          windows.push({ fromMs, toMs: Date.now() });
          await desk.daemon?.stop('SIGKILL');
          await desk.startDaemon();
          fromMs = await capturing();
          break;
        case 'child': {
          const { pid } = (await desk.status()).capture;
          windows.push({ fromMs, toMs: Date.now() });
          if (pid !== null) process.kill(pid, 'SIGKILL');
          await desk.waitFor('the child to be missed', ({ capture }) => capture.pid !== pid);
          fromMs = await capturing();
          break;
        }
        case 'uploader':
          await killUploader(desk.daemon?.child.pid ?? 0);
          break;
        case 'collector':
          await desk.collector?.stop('SIGKILL');
          await desk.startCollector();
          break;
        case undefined:
          break;
      }
    }
    windows.push({ fromMs, toMs: Date.now() });
    mover.isRunning = false;
    await moving;
    await desk.sendAll();

    const stored = (await desk.stored()).filter((event) => event.kind === 'move');
    const seen = new Map<string, number>();
    for (const { x, y } of stored) seen.set(`${x},${y}`, (seen.get(`${x},${y}`) ?? 0) + 1);
    expect([...seen].filter(([, count]) => count > 1)).toEqual([]);

    const owed = injected.filter(({ atMs }) =>
      windows.some(({ fromMs, toMs }) => atMs >= fromMs && atMs <= toMs - MAY_BE_LOST_MS),
    );
    expect(owed.length).toBeGreaterThan(100);
    expect(owed.filter(({ x, y }) => !seen.has(`${x},${y}`))).toEqual([]);
  }, 300_000);
});

/** Kills an uploader if one runs just now. */
async function killUploader(daemonPid: number): Promise<void> {
  const found = new Program('pgrep', ['-P', String(daemonPid), '-f', 'telemetry-uploader'], {});
  await found.exited;
  for (const pid of found.out.trim().split('\n').filter(Boolean)) process.kill(Number(pid), 'SIGKILL');
}
