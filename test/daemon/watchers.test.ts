import { expect, it } from 'vitest';
import type { StatusReport } from '../../src/core/status.ts';
import { Watchers } from '../../src/daemon/watchers.ts';
import { CAPTURING } from '../control/reports.ts';
import { HandClock, HandTimers } from './hand-clock.ts';

function watched() {
  const timers = new HandTimers(new HandClock());
  let made = 0;
  const watchers = new Watchers(timers.clock, timers, () => {
    made++;
    return { ...CAPTURING, capture: { ...CAPTURING.capture, restarts: made } };
  });
  return { timers, watchers, made: () => made };
}

function follow(watchers: Watchers) {
  const reports: StatusReport[] = [];
  const leaving = new AbortController();
  const ended = watchers.follow((report) => reports.push(report), leaving.signal);
  return { reports, leave: () => leaving.abort(), ended };
}

it('costs nothing while nobody watches', () => {
  const { timers, watchers, made } = watched();
  watchers.changed();
  timers.run(60_000);
  expect(made()).toBe(0);
  expect(timers.names()).toEqual([]);
});

it('tells at once how things are, then after each change, and nothing without one', () => {
  const { timers, watchers } = watched();
  const { reports } = follow(watchers);
  expect(reports).toHaveLength(1);
  timers.run(60_000);
  expect(reports).toHaveLength(1);
  watchers.changed();
  timers.run(0);
  expect(reports).toHaveLength(2);
});

it('tells at most once a second, and the last change is never left out', () => {
  const { timers, watchers, made } = watched();
  const { reports } = follow(watchers);
  for (let i = 0; i < 100; i++) {
    watchers.changed();
    timers.run(100);
  }
  expect(reports.length).toBeGreaterThanOrEqual(10);
  expect(reports.length).toBeLessThanOrEqual(12);
  timers.run(1000);
  expect(reports.at(-1)?.capture.restarts).toBe(made());
  expect(timers.names()).toEqual([]);
});

it('makes one report for all who watch', () => {
  const { timers, watchers, made } = watched();
  const all = [follow(watchers), follow(watchers), follow(watchers)];
  const before = made();
  watchers.changed();
  timers.run(0);
  expect(made()).toBe(before + 1);
  expect(all.map(({ reports }) => reports.length)).toEqual([2, 2, 2]);
});

it('lets go of those who leave, also of one who left before', async () => {
  const { timers, watchers } = watched();
  const one = follow(watchers);
  const other = follow(watchers);
  watchers.changed();
  one.leave();
  await one.ended;
  timers.run(0);
  expect(one.reports).toHaveLength(1);
  expect(other.reports).toHaveLength(2);
  other.leave();
  await other.ended;
  watchers.changed();
  expect(timers.names()).toEqual([]);
  await watchers.follow(() => undefined, AbortSignal.abort());
});

it('goes on after everyone had left while a report was due', async () => {
  const { timers, watchers } = watched();
  const first = follow(watchers);
  watchers.changed();
  first.leave();
  await first.ended;
  timers.run(1000);
  const second = follow(watchers);
  watchers.changed();
  timers.run(1000);
  expect(second.reports).toHaveLength(2);
});
