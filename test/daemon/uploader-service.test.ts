import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { UploaderService } from '../../src/daemon/uploader-service-node.ts';
import { keepingLog } from '../control/reports.ts';
import { tempFolder } from '../spool/temp-folder.ts';
import { HandClock, HandTimers } from './hand-clock.ts';

function service() {
  const folder = join(tempFolder(), 'outbox');
  const clock = new HandClock();
  const timers = new HandTimers(clock);
  const logged = keepingLog();
  const uploaders = new UploaderService({ folder, clock, timers, log: logged.log });
  return { folder, clock, timers, uploaders, logged };
}

it('asks for an uploader by a file that lies there until it gave account', async () => {
  const { folder, uploaders } = service();
  uploaders.prepare();
  const uploader = uploaders.start();
  expect(readdirSync(folder)).toHaveLength(1);
  uploader.attended(new AbortController().signal);
  await uploader.accounted();
  expect(readdirSync(folder)).toEqual([]);
  expect(await uploader.exited).toBe(true);
});

it('takes an uploader for dead whose connection is gone without a word', async () => {
  const { folder, timers, uploaders } = service();
  uploaders.prepare();
  const uploader = uploaders.start();
  const gone = new AbortController();
  uploader.attended(gone.signal);
  timers.run(60_000);
  expect(readdirSync(folder)).toHaveLength(1);
  gone.abort();
  timers.run(2000);
  expect(readdirSync(folder)).toHaveLength(1);
  timers.run(1000);
  expect(readdirSync(folder)).toEqual([]);
  expect(await uploader.exited).toBe(false);
});

it('has lost nothing to an uploader that never came', async () => {
  const { folder, uploaders } = service();
  uploaders.prepare();
  const uploader = uploaders.start();
  uploader.kill();
  expect(await uploader.exited).toBe(true);
  expect(readdirSync(folder)).toEqual([]);
});

it('has no account of an uploader that was cut off', async () => {
  const { uploaders } = service();
  uploaders.prepare();
  const uploader = uploaders.start();
  uploader.attended(new AbortController().signal);
  uploader.kill();
  expect(await uploader.exited).toBe(false);
});

it('keeps rounds apart, and begins with none', async () => {
  const { folder, uploaders } = service();
  mkdirSync(folder);
  writeFileSync(join(folder, 'round-7'), '');
  uploaders.prepare();
  expect(readdirSync(folder)).toEqual([]);
  const [first, second] = [uploaders.start(), uploaders.start()];
  await first.accounted();
  expect(readdirSync(folder)).toHaveLength(1);
  second.kill();
  expect(readdirSync(folder)).toEqual([]);
});

it('that cannot ask says so, and the round is over', async () => {
  const { folder, uploaders, logged } = service();
  const uploader = uploaders.start();
  expect(existsSync(folder)).toBe(false);
  expect(await uploader.exited).toBe(true);
  expect(logged.lines).toHaveLength(1);
});
