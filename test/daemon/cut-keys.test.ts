import { readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CutKeys } from '../../src/daemon/cut-keys.ts';
import { segmentId } from '../spool/samples.ts';
import { tempFolder } from '../spool/temp-folder.ts';
import { HandClock, HandTimers } from './hand-clock.ts';

function keysIn(keyFolder: string | null, holdBackMs = 600_000) {
  const clock = new HandClock();
  const timers = new HandTimers(clock);
  return { clock, timers, keys: new CutKeys({ clock, timers, keyFolder, holdBackMs: () => holdBackMs }) };
}

it('keeps a key for hold_back after sealing, in a file of the owner’s, and destroys it then', () => {
  const folder = tempFolder();
  const { timers, keys } = keysIn(folder);
  keys.put(segmentId(1), 'AGE-SECRET-KEY-1A');
  timers.run(300_000);
  keys.put(segmentId(2), 'AGE-SECRET-KEY-1B');
  const names = (): string[] => readdirSync(join(folder, 'cut'));
  expect(names()).toHaveLength(2);
  expect(statSync(join(folder, 'cut', `${segmentId(1)}.key`)).mode & 0o777).toBe(0o600);
  expect(keys.get(segmentId(1))).toBe('AGE-SECRET-KEY-1A');
  timers.run(300_000);
  expect(keys.get(segmentId(1))).toBeUndefined();
  expect(names()).toEqual([`${segmentId(2)}.key`]);
  timers.run(300_000);
  expect(names()).toEqual([]);
});

it('goes on after a restart for what is left of the time, and destroys keys of what is gone', () => {
  const folder = tempFolder();
  const before = keysIn(folder);
  for (const n of [1, 2, 3]) before.keys.put(segmentId(n), `AGE-SECRET-KEY-${n}`);
  const after = keysIn(folder);
  const madeAt = (ageMs: number) => new Date(after.clock.now().wallMs - ageMs);
  utimesSync(join(folder, 'cut', `${segmentId(1)}.key`), madeAt(400_000), madeAt(400_000));
  utimesSync(join(folder, 'cut', `${segmentId(2)}.key`), madeAt(700_000), madeAt(700_000));
  after.keys.start([segmentId(1), segmentId(2)]);
  expect(readdirSync(join(folder, 'cut'))).toEqual([`${segmentId(1)}.key`]);
  expect(after.keys.get(segmentId(1))).toBe('AGE-SECRET-KEY-1');
  after.timers.run(200_000);
  expect(after.keys.get(segmentId(1))).toBeUndefined();
});

it('wants none where nothing is held back, and keeps them in memory where there is no place for them', () => {
  expect(keysIn(null, 0).keys.isWanted).toBe(false);
  const { keys } = keysIn(null);
  keys.put(segmentId(1), 'AGE-SECRET-KEY-1A');
  expect(keys.get(segmentId(1))).toBe('AGE-SECRET-KEY-1A');
});
