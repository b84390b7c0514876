import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Liveness } from '../../src/daemon/liveness.ts';
import { buildChild, TestChild, temporaryFolder } from '../capture/child-bundle.ts';
import { CONFIG } from '../capture/child-config.ts';
import { hasX } from '../capture/xvfb.ts';
import { Desk } from '../e2e/desk.ts';
import { HandClock, HandTimers } from './hand-clock.ts';

let bundle: Awaited<ReturnType<typeof buildChild>>;
beforeAll(async () => {
  bundle = await buildChild();
});
afterAll(() => bundle.remove());

/** A liveness watch by a clock that the test moves, over a capture process that is real. */
function watching(child: TestChild): { timers: HandTimers; clock: HandClock; liveness: Liveness } {
  const clock = new HandClock();
  const timers = new HandTimers(clock);
  return {
    timers,
    clock,
    liveness: new Liveness({ clock, timers, child: () => (child.isGone ? null : child.child) }),
  };
}

const alive = (child: TestChild): number => child.messages.filter(({ type }) => type === 'alive').length;

describe('a capture process with nothing to tell', () => {
  it('answers, and one that hangs is ended with the reason', async () => {
    const child = await quietChild();
    const { timers, liveness } = watching(child);
    liveness.beat();
    await child.until(() => alive(child) === 1);
    liveness.heard();
    timers.run(11_000);
    expect(child.isGone).toBe(false);

    process.kill(child.child.pid ?? 0, 'SIGSTOP');
    liveness.beat();
    timers.run(9000);
    expect(timers.list()).toHaveLength(1);
    timers.run(2000);
    expect(await child.exit.promise).toMatchObject({ code: 'tap-dead' });
  });

  it('is not asked while events come, and not ended because the machine slept', async () => {
    const child = await quietChild();
    const { timers, clock, liveness } = watching(child);
    liveness.heard();
    timers.run(4000);
    liveness.beat();
    expect(timers.list()).toEqual([]);
    timers.run(2000);
    liveness.beat();
    // The machine sleeps with the question out.
    clock.sleep(3_600_000);
    timers.recheck();
    await child.until(() => alive(child) === 2);
    expect(child.isGone).toBe(false);
  });
});

describe.skipIf(!hasX)('an X server that hangs', () => {
  it('is found out through the capture process', async () => {
    const desk = new Desk();
    onTestFinished(() => desk.close());
    await desk.startDisplay();
    const server = desk.display.server?.child;
    onTestFinished(() => void server?.kill('SIGCONT'));
    const child = await new TestChild(bundle.entryFile, desk.display.env()).start();
    onTestFinished(() => child.child.stop());
    const { timers, liveness } = watching(child);
    liveness.beat();
    await child.until(() => alive(child) === 1);
    liveness.heard();
    server?.kill('SIGSTOP');
    timers.run(6000);
    liveness.beat();
    timers.run(11_000);
    expect(await child.exit.promise).toMatchObject({ code: 'tap-dead' });
  });
});

/** A capture process whose next event is an hour away. */
async function quietChild(): Promise<TestChild> {
  const file = path.join(await temporaryFolder(), 'quiet.csv');
  writeFileSync(file, 't_us,kind,x,y,a,b\n0,0,1,1,0,0\n3600000000,0,2,2,0,0\n');
  const child = new TestChild(bundle.entryFile, {});
  onTestFinished(() => child.child.stop());
  return child.start({ ...CONFIG, replay: { file, speed: 1 } });
}
