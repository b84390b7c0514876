import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { Clock } from '../../src/core/clock.ts';
import { NodeTimers } from '../../src/daemon/timers-node.ts';

/** Boot time as the process sees it, and jumps as sleep makes them. */
class JumpingClock implements Clock {
  readonly bootId = 'this-boot';
  jumpedMs = 0;

  now() {
    const monoMs = performance.now();
    return { wallMs: Date.now() + this.jumpedMs, bootMs: monoMs + this.jumpedMs, monoMs };
  }
}

function timersWith(rate?: number) {
  const clock = new JumpingClock();
  const timers = new NodeTimers(clock, rate);
  onTestFinished(() => timers.stop());
  const fired: string[] = [];
  const set = (name: string, inMs: number): void =>
    timers.set(name, clock.now().bootMs + inMs, () => fired.push(name));
  return { clock, timers, fired, set };
}

it('fires at its time, once, and is armed no longer', async () => {
  const { timers, fired, set } = timersWith();
  set('soon', 40);
  expect(timers.list().map(({ name }) => name)).toEqual(['soon']);
  await sleep(20);
  expect(fired).toEqual([]);
  await vi.waitFor(() => expect(fired).toEqual(['soon']));
  expect(timers.list()).toEqual([]);
  timers.recheck();
  expect(fired).toEqual(['soon']);
});

it('fires at the next look what sleep has made late, the earliest first', () => {
  const { clock, timers, fired, set } = timersWith();
  set('third', 3_000_000);
  set('first', 1_000_000);
  set('second', 2_000_000);
  timers.recheck();
  expect(fired).toEqual([]);
  clock.jumpedMs = 2_500_000;
  timers.recheck();
  expect(fired).toEqual(['first', 'second']);
  expect(timers.list().map(({ name }) => name)).toEqual(['third']);
});

it('does not fire what the one before it has cleared or set anew', () => {
  const { clock, timers, fired, set } = timersWith();
  timers.set('first', clock.now().bootMs + 1000, () => {
    fired.push('first');
    timers.clear('second');
    set('third', 10_000_000);
  });
  set('second', 2000);
  set('third', 3000);
  clock.jumpedMs = 5000;
  timers.recheck();
  expect(fired).toEqual(['first']);
});

it('is armed again when the process’s timer comes too early', async () => {
  const { clock, fired, set } = timersWith();
  set('late', 30);
  clock.jumpedMs = -100;
  await sleep(70);
  expect(fired).toEqual([]);
  await vi.waitFor(() => expect(fired).toEqual(['late']));
});

it('replaces one of the same name', async () => {
  const { timers, fired, clock, set } = timersWith();
  timers.set('one', clock.now().bootMs + 10, () => fired.push('old'));
  set('one', 40);
  await vi.waitFor(() => expect(fired).toEqual(['one']));
  await sleep(20);
  expect(fired).toEqual(['one']);
});

it('fires soon what is overdue when it is set', async () => {
  const { fired, set } = timersWith();
  set('past', -1000);
  await vi.waitFor(() => expect(fired).toEqual(['past']));
});

it('clears one, and all', async () => {
  const { timers, fired, set } = timersWith();
  set('one', 10);
  set('two', 10);
  set('three', 10);
  timers.clear('one');
  timers.clear('never-set');
  expect(timers.list()).toHaveLength(2);
  timers.stop();
  await sleep(30);
  expect(fired).toEqual([]);
  expect(timers.list()).toEqual([]);
});

it('waits longer than setTimeout can, without waking in between', () => {
  const { timers, fired, set } = timersWith();
  set('next-quarter', 90 * 86_400_000);
  timers.recheck();
  expect(fired).toEqual([]);
  expect(timers.list()).toHaveLength(1);
});

it('goes as fast as its clock', async () => {
  const startMs = performance.now();
  const clock: Clock = {
    bootId: 'replay',
    now: () => {
      const bootMs = (performance.now() - startMs) * 1000;
      return { wallMs: bootMs, bootMs, monoMs: bootMs };
    },
  };
  const timers = new NodeTimers(clock, 1000);
  onTestFinished(() => timers.stop());
  const fired = vi.fn();
  timers.set('a-minute', clock.now().bootMs + 60_000, fired);
  await sleep(20);
  expect(fired).not.toHaveBeenCalled();
  await vi.waitFor(() => expect(fired).toHaveBeenCalledOnce());
  expect(performance.now() - startMs).toBeLessThan(1000);
});

it('at infinite speed fires only when it is looked at', async () => {
  const { clock, timers, fired, set } = timersWith(Infinity);
  set('recorded', 10);
  await sleep(30);
  expect(fired).toEqual([]);
  clock.jumpedMs = 20;
  timers.recheck();
  expect(fired).toEqual(['recorded']);
});
