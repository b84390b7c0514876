import { expect, it } from 'vitest';
import type { Reason } from '../../src/core/collection.ts';
import { startPause } from '../../src/core/pause.ts';
import { CollectionDriver } from '../../src/daemon/collection-driver.ts';
import { keepingLog } from '../control/reports.ts';
import { HandClock, HandTimers } from './hand-clock.ts';

const CRASH: Reason = { code: 'hook-crashed', text: 'It crashed.', hint: 'wait' };
const STOPPED: Reason = { code: 'stopped', text: 'Capture was stopped.', hint: '' };

function driven() {
  const clock = new HandClock();
  const timers = new HandTimers(clock);
  const started: number[] = [];
  const stopped: number[] = [];
  const saved: number[] = [];
  const states: string[] = [];
  const driver: CollectionDriver = new CollectionDriver({
    clock,
    timers,
    log: keepingLog().log,
    startChild: (generation) => {
      started.push(generation);
      return {
        pid: 4000 + generation,
        send: () => undefined,
        kill: () => undefined,
        stop: () => {
          stopped.push(generation);
          return Promise.resolve();
        },
      };
    },
    savePauses: (pauses) => saved.push(pauses.length),
    changed: (_from, to) => states.push(to),
  });
  const allow = (): void => {
    driver.send({ type: 'policy', policy: { hours: null, refusal: null } });
    driver.send({ type: 'consent', standing: 'granted' });
  };
  const ready = (): void => driver.send({ type: 'child-ready', generation: started.at(-1) ?? 0 });
  const gone = (reason = STOPPED): void =>
    driver.send({ type: 'child-exited', generation: started.at(-1) ?? 0, reason });
  const pause = (ms: number): void =>
    driver.send({ type: 'pause', pause: startPause('person', ms, '', clock) });
  return { clock, timers, driver, started, stopped, saved, states, allow, ready, gone, pause };
}

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

it('starts a process when capture is allowed, and tells its pid while it exists', () => {
  const { driver, started, states, allow, ready, gone, pause } = driven();
  expect(driver.childPid).toBeNull();
  allow();
  expect(started).toEqual([1]);
  expect(driver.childPid).toBe(4001);
  ready();
  expect(states.at(-1)).toBe('capturing');
  expect(driver.reasons()).toEqual([]);
  pause(60_000);
  expect(states.at(-1)).toBe('paused');
  expect(driver.childPid).toBe(4001);
  gone();
  expect(driver.childPid).toBeNull();
});

it('has begun a pause when the process is gone, not when it was told to go', async () => {
  const { driver, stopped, allow, ready, gone, pause } = driven();
  allow();
  ready();
  pause(60_000);
  expect(stopped).toEqual([1]);
  const begun = driver.whenGone();
  expect(await isSettled(begun)).toBe(false);
  gone();
  expect(await isSettled(begun)).toBe(true);
  expect(await isSettled(driver.whenGone())).toBe(true);
});

it('ends a pause by its one timer, and saves it when it begins and ends', () => {
  const { timers, driver, started, saved, allow, ready, gone, pause } = driven();
  allow();
  ready();
  pause(60_000);
  gone();
  expect(timers.list()).toEqual([{ name: 'collection', atBootMs: timers.clock.now().bootMs + 60_000 }]);
  timers.run(59_999);
  expect(driver.state.name).toBe('paused');
  timers.run(1);
  expect(started).toEqual([1, 2]);
  expect(saved).toEqual([1, 0]);
  ready();
  expect(timers.names()).toEqual([]);
});

it('starts a process that died again, after a wait', () => {
  const { timers, driver, started, allow, ready, gone } = driven();
  allow();
  ready();
  gone(CRASH);
  expect(driver.reasons().map(({ code }) => code)).toEqual(['hook-crashed']);
  expect(started).toEqual([1]);
  timers.run(1000);
  expect(started).toEqual([1, 2]);
  expect(driver.state.restarts).toBe(1);
});

it('does not mind the exit of a process that is not the present one', () => {
  const { driver, allow, ready } = driven();
  allow();
  ready();
  driver.send({ type: 'child-exited', generation: 0, reason: CRASH });
  expect(driver.childPid).toBe(4001);
  expect(driver.state.name).toBe('capturing');
});

it('is settled when the process is ready, or gone, or after all that it may take', async () => {
  const { timers, driver, allow, ready, gone, pause } = driven();
  expect(await isSettled(driver.whenSettled(3000))).toBe(true);
  allow();
  const one = driver.whenSettled(3000);
  expect(await isSettled(one)).toBe(false);
  ready();
  expect(await isSettled(one)).toBe(true);
  expect(timers.names()).toEqual([]);
  pause(1000);
  gone();
  timers.run(1000);
  const two = driver.whenSettled(3000);
  gone(CRASH);
  expect(await isSettled(two)).toBe(true);
  timers.run(1000);
  const three = driver.whenSettled(3000);
  timers.run(2999);
  expect(await isSettled(three)).toBe(false);
  timers.run(1);
  expect(await isSettled(three)).toBe(true);
});

it('is not settled between a process that goes and the next, which comes when the pause ends meanwhile', async () => {
  const { driver, started, allow, ready, gone, pause } = driven();
  allow();
  ready();
  pause(60_000);
  driver.send({ type: 'resume', by: 'person' });
  const settled = driver.whenSettled(3000);
  expect(await isSettled(settled)).toBe(false);
  gone();
  expect(started).toEqual([1, 2]);
  expect(await isSettled(settled)).toBe(false);
  ready();
  expect(await isSettled(settled)).toBe(true);
  expect(driver.state.name).toBe('capturing');
});

it('logs a process that cannot be stopped instead of failing', async () => {
  const { log, lines } = keepingLog();
  const timers = new HandTimers(new HandClock());
  const driver = new CollectionDriver({
    clock: timers.clock,
    timers,
    log,
    startChild: () => ({
      pid: 1,
      send: () => undefined,
      kill: () => undefined,
      stop: () => Promise.reject(new Error('no such process')),
    }),
    savePauses: () => undefined,
    changed: () => undefined,
  });
  driver.send({ type: 'policy', policy: { hours: null, refusal: null } });
  driver.send({ type: 'consent', standing: 'granted' });
  driver.send({ type: 'stop' });
  await new Promise((resolve) => setImmediate(resolve));
  expect(lines.join()).toContain('could not be stopped');
});
it('says that a process is gone also when another takes its place at once', async () => {
  const { driver, started, allow, ready, gone } = driven();
  allow();
  ready();
  driver.send({ type: 'reconfigure' });
  const whenGone = driver.whenGone();
  expect(await isSettled(whenGone)).toBe(false);
  gone();
  expect(started).toEqual([1, 2]);
  expect(await isSettled(whenGone)).toBe(true);
  expect(driver.childPid).toBe(4002);
});
